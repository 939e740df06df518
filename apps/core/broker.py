"""How our own processes outside the gateway reach Redis or Valkey."""

import redis
from django.conf import settings


def connect_broker(*, timeout_s: float, health_check_s: int = 0) -> "redis.Redis":
    """Return a client that waits so many seconds to connect and for each reply, and no longer.

    A client that is kept is asked whether it is alive when it has been idle for `health_check_s`.
    """
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        health_check_interval=health_check_s,
    )
