"""How often one may rate, or try something: a count a minute in the cache."""

from datetime import datetime
from typing import Final

import redis
from django.core.cache import cache

PER_MINUTE: Final = 60


def seconds_to_wait(whose: str, *, now: datetime, most: int | None = None) -> int:
    """Count one act, a rating say; return 0, or after how many seconds to try again.

    `most` a minute, PER_MINUTE unless given. Without the cache every one is let through.
    """
    minute, second = divmod(int(now.timestamp()), 60)
    name = f"feedback:{whose}:{minute}"
    try:
        cache.add(name, 0, timeout=120)
        count = cache.incr(name)
    except (redis.RedisError, ValueError):
        return 0
    return 60 - second if count > (PER_MINUTE if most is None else most) else 0
