"""The cache when its server is away: an empty one, and not an error on every page.

The cache holds nothing but rate limits and things that can be computed again. Sessions, money and notices are
in the database and never here.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, TimeoutError
from redis.retry import Retry

logger = logging.getLogger(__name__)


def answering(default: object) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The decorated method returns `default` while the cache server can't be reached."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(self: RedisCacheClient, *args: object, **kwargs: object) -> Any:
            try:
                return method(self, *args, **kwargs)
            except (ConnectionError, TimeoutError) as error:
                logger.warning("cache_unreachable", extra={"error": type(error).__name__})
                return default

        return call

    return decorate


class ForgivingClient(RedisCacheClient):
    """Answers at once: the driver's own retries would hold a page for seconds."""

    def __init__(self, servers: Any, **options: Any) -> None:
        options = {"socket_connect_timeout": 1, "socket_timeout": 1, **options}
        super().__init__(servers, retry=Retry(NoBackoff(), 0), **options)
        self._clients: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """Kept, as to make one costs more than to ask the server; there is one server."""
        if write not in self._clients:
            self._clients[write] = super().get_client(key, write=write)
        return self._clients[write]

    # True: whoever asks for a lock gets it. A sign-in must work without the cache as well.
    add = answering(True)(RedisCacheClient.add)
    set = answering(None)(RedisCacheClient.set)
    touch = answering(False)(RedisCacheClient.touch)
    delete = answering(False)(RedisCacheClient.delete)
    has_key = answering(False)(RedisCacheClient.has_key)
    get_many = answering({})(RedisCacheClient.get_many)
    set_many = answering([])(RedisCacheClient.set_many)
    delete_many = answering(None)(RedisCacheClient.delete_many)
    clear = answering(False)(RedisCacheClient.clear)

    def get(self, key: Any, default: Any) -> Any:
        return answering(default)(RedisCacheClient.get)(self, key, default)

    def incr(self, key: Any, delta: int) -> Any:
        return answering(delta)(RedisCacheClient.incr)(self, key, delta)


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache with the client above."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = ForgivingClient
