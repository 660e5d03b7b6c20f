"""Wiring: settings, addresses, Celery, the local run. Knows every app; no app knows it, except for `lib`."""

from escrow_site.celery import app as celery_app

__all__ = ["celery_app"]
