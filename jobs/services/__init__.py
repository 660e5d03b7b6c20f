"""Use cases of people, Jobs and history."""
