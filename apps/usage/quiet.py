"""Notices that the drain has gone quiet, and ends its worker so that another takes its place.

A Celery worker on Redis has been seen to stay alive and take nothing after its connection was
reset. Whoever started the worker starts it again: the supervisor, or a container's engine.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Final

import redis
from django.conf import settings

DRAINED_KEY: Final = "pilotdash:drained"
# Many times longer than a drain takes, and than beat needs to come back.
QUIET_SECONDS: Final = 120.0
CHECKED_SECONDS: Final = 15.0
RESTART: Final = 75  # EX_TEMPFAIL

log = logging.getLogger(__name__)


def note_drained(client: "redis.Redis") -> None:
    """Leave word that a drain runs now, by the broker's clock."""
    client.set(DRAINED_KEY, _broker_time(client))


def seconds_since_drained(client: "redis.Redis") -> float | None:
    """Return how long ago a drain last ran; None when none ever did."""
    noted = client.get(DRAINED_KEY)
    return None if noted is None else max(0.0, _broker_time(client) - float(noted))


def watch_in_background() -> None:
    """Watch from a thread of the worker's main process, which runs no tasks itself."""
    threading.Thread(target=watch, name="quiet drain", daemon=True).start()


def watch(
    *,
    end: Callable[[int], object] = os._exit,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Call `end` once no drain has run for QUIET_SECONDS though the broker is there."""
    began = clock()
    while True:
        sleep(CHECKED_SECONDS)
        if clock() - began < QUIET_SECONDS:
            continue
        try:
            with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5) as client:
                quiet = seconds_since_drained(client)
        except redis.RedisError:  # nothing to read from; that is not the worker's fault
            continue
        if quiet is None or quiet > QUIET_SECONDS:
            log.error("no drain has run for %s s; ending this worker", quiet)
            end(RESTART)
            return


def _broker_time(client: "redis.Redis") -> float:
    seconds, micros = client.time()
    return float(seconds) + micros / 1e6
