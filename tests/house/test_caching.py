"""Without the cache and broker server a page answers at once: nothing waits, nothing breaks."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

from escrow_site.caching import ForgivingRedisCache

# A driver that tries again waits ten times as long; a busy machine does not.
AT_ONCE_SECONDS = 5


@pytest.fixture
def unreachable(tmp_path: Path) -> str:
    return f"unix://{tmp_path}/nobody-listens?db=1"


def test_the_cache_answers_as_an_empty_one(unreachable: str) -> None:
    cache = ForgivingRedisCache(unreachable, {})
    started = time.monotonic()

    assert cache.add("lock", 1) is True
    assert cache.get("key", "default") == "default"
    assert cache.get_many(["key"]) == {}
    assert cache.has_key("key") is False
    assert cache.incr("counter") == 1
    assert cache.touch("key") is False
    assert cache.delete("key") is False
    assert cache.clear() is False
    cache.set("key", "value")
    cache.set_many({"key": "value"})
    cache.delete_many(["key"])
    assert time.monotonic() - started < AT_ONCE_SECONDS


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_silent_server_holds_no_page(silent: int) -> None:
    cache = ForgivingRedisCache(f"redis://127.0.0.1:{silent}/1", {})
    started = time.monotonic()

    assert cache.add("lock", 1) is True
    with pytest.raises(OperationalError):
        publish(f"redis://127.0.0.1:{silent}/0")

    assert time.monotonic() - started < 15


def publish(address: str) -> None:
    """As the product does."""
    options: Any = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    application = Celery("unreachable", broker=address, set_as_current=False)
    application.conf.update(broker_transport_options=options, task_publish_retry=False)
    application.send_task("anything")


def test_the_cache_caches() -> None:
    cache = ForgivingRedisCache(settings.CACHES["default"]["LOCATION"], {"KEY_PREFIX": "house"})

    cache.set("key", [1, 2])
    assert cache.get("key") == [1, 2]
    assert cache.add("key", 3) is False
    assert cache.delete("key") is True


@pytest.mark.parametrize("address", ["redis+socket:///nobody/listens", "redis://127.0.0.1:1/0"])
def test_publishing_a_task_fails_at_once(address: str) -> None:
    started = time.monotonic()

    with pytest.raises(OperationalError):
        publish(address)

    assert time.monotonic() - started < AT_ONCE_SECONDS
