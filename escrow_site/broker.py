"""Asking the broker how it is: at once and once, whatever is wrong with it. Tasks go through Celery."""

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

PATIENCE_SECONDS = 1


def waiting_tasks() -> int | None:
    """How many tasks wait for a worker; None when the broker does not answer."""
    client = redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=PATIENCE_SECONDS,
        socket_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        return int(client.llen(settings.CELERY_TASK_DEFAULT_QUEUE))
    except (RedisError, OSError):
        return None
    finally:
        client.close()
