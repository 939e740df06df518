"""How often one may rate: a count a minute in the cache."""

from datetime import datetime
from typing import Final

import redis
from django.core.cache import cache

PER_MINUTE: Final = 60


def seconds_to_wait(whose: str, *, now: datetime) -> int:
    """Count one rating; return 0, or after how many seconds to try again.

    Without the cache every rating is let through.
    """
    minute, second = divmod(int(now.timestamp()), 60)
    name = f"feedback:{whose}:{minute}"
    try:
        cache.add(name, 0, timeout=120)
        count = cache.incr(name)
    except (redis.RedisError, ValueError):
        return 0
    return 60 - second if count > PER_MINUTE else 0
