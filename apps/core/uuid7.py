"""UUIDv7 (RFC 9562): ids that sort by time and carry it.

Within one process ids are strictly increasing: the 12 bits after the time count within a
millisecond, so that a burst keeps its order.
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

_lock = threading.Lock()
_last = (0, 0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_uuid7(now_ms: int | None = None) -> UUID:
    """Return a new id. `now_ms` is milliseconds since 1970; the clock's when not given."""
    global _last
    with _lock:
        millis = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        last_millis, last_count = _last
        if millis > last_millis:
            count = 0
        else:  # the clock stood still or went back: keep the order
            millis, count = last_millis, last_count + 1
            if count > 0xFFF:
                millis, count = millis + 1, 0
        _last = (millis, count)
    return compose(millis, count, int.from_bytes(os.urandom(8)) >> 2)


def compose(millis: int, count: int, randomness: int) -> UUID:
    """Put an id together from 48 bits of time, 12 of count and 62 of randomness."""
    return UUID(int=millis << 80 | 0x7 << 76 | count << 64 | 0b10 << 62 | randomness)


def instant_of(value: UUID) -> datetime:
    """Return the time an id carries, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=value.int >> 80)


def is_uuid7(value: UUID) -> bool:
    return value.version == 7
