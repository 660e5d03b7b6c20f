"""Reads shaped for the pages of people and notices; nothing here writes."""
