"""Use cases of the money."""
