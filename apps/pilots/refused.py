"""What the gateway refused to keys today, in words for those whose keys they are.

Refusals are counted by reason, key and day, and never stored as calls.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import redis

from apps.core.broker import connect_broker
from apps.gateway.contract import REFUSALS_KEY
from apps.pilots.models import Key

log = logging.getLogger(__name__)

# A page shows itself without these rather than late.
TIMEOUT_S: Final = 0.5
WORDS: Final = {
    "bad_key": "the key is not known",
    "expired_key": "the key has run out",
    "wrong_kind_of_key": "the key is not for calling models",
    "pilot_not_open": "the pilot has not begun, or is over",
    "unknown_path": "an address that is not served",
    "unknown_model": "a model name that the pilot does not have",
    "paused_model": "the model is paused",
    "provider_resting": "the provider had failed several times in a row",
    "malformed": "a request that could not be read",
    "too_large": "a request that was too large",
    "too_slow": "a request that took too long to arrive",
    "too_many_at_once": "too many calls at once",
    "too_many_requests": "too many requests in a minute",
    "too_many_tokens": "too many tokens in a minute",
    "money_spent": "a budget was used up",
    "money_held": "the rest of a budget was held by running calls",
    "money_unknown": "nobody could look up what had been spent",
    "not_countable": "the call could not be counted against its limits",
    "overloaded": "PilotDash had too many calls at once",
    "not_recordable": "PilotDash could not record the call",
    "no_routes": "PilotDash was just starting",
}


def refused_today(keys: Sequence[Key], *, now: datetime) -> list[str]:
    """Return a sentence for each key that was refused since midnight UTC; none without Redis."""
    day = f"{now.astimezone(UTC):%Y-%m-%d}"
    fields = [f"{reason}:{key.id}:{day}" for key in keys for reason in WORDS]
    if not fields:
        return []
    try:
        counts: Any = _redis().hmget(REFUSALS_KEY, fields)
    except redis.RedisError as problem:
        log.warning("refusals cannot be read now: %s", type(problem).__name__)
        return []
    known = {field: int(count) for field, count in zip(fields, counts, strict=True) if count}
    told = []
    for key in keys:
        found = {reason: known.get(f"{reason}:{key.id}:{day}", 0) for reason in WORDS}
        if any(found.values()):
            told.append(_sentence(key, {why: count for why, count in found.items() if count}))
    return told


def _sentence(key: Key, found: dict[str, int]) -> str:
    total = sum(found.values())
    times = "once" if total == 1 else f"{total:,} times"
    often = sorted(found.items(), key=lambda each: -each[1])
    if len(often) == 1:
        why = WORDS[often[0][0]]
    else:
        why = ", ".join(f"{WORDS[reason]} ({count:,})" for reason, count in often)
    return f"{key.hint} was refused {times} since midnight UTC: {why}."


@cache
def _redis() -> "redis.Redis":
    return connect_broker(timeout_s=TIMEOUT_S)
