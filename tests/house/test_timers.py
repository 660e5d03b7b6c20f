"""The schedule of the timers and the tasks that it names belong together."""

import pytest
from django.conf import settings

from escrow_site.celery import app


@pytest.mark.parametrize("entry", settings.CELERY_BEAT_SCHEDULE)
def test_a_scheduled_task_exists(entry: str) -> None:
    app.loader.import_default_modules()

    assert settings.CELERY_BEAT_SCHEDULE[entry]["task"] in app.tasks
