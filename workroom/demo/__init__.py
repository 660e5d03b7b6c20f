"""The demo world: people and Jobs in every state that can be reached, made through the services."""
