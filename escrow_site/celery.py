"""The Celery application: timers, mail delivery and provider events.

The schedule is `CELERY_BEAT_SCHEDULE` in the settings, the tasks are in each app's `tasks.py`.
"""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "escrow_site.settings")

app = Celery("escrow_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect
def log_as_the_web_process_does(**kwargs: Any) -> None:
    """Celery would lay its own handlers over ours."""
    logging.config.dictConfig(settings.LOGGING)
