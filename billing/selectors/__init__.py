"""Reads of the money, shaped for a page."""
