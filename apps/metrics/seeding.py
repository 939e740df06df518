"""What money counters of the gateway do not know: what calls cost before a counter began.

Redis may lose the counters, and each begins anew then: from `since` on it adds up what calls cost.
What ended before, from the start of its period on, is summed here from the calls and handed to it
once, as `seed`. That is done when all such calls are certainly stored, which is seen in two steps:

1. every gateway that is alive has shipped what ended before `since`; when that was first seen is
   noted in the counter as `shipped`;
2. the stream holds nothing that was shipped before that moment.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

import orjson
import redis
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from apps.core.broker import connect_broker
from apps.gateway.contract import GATEWAYS_KEY, LIMITS_PREFIX, SCOPES, STREAM, UNSEEDED_KEY
from apps.metrics.rollup import COUNTED

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 5.0
# A gateway says every second how it is. One that has been silent for so long is gone, and another
# has taken over its journal, which is part of what that one says.
SILENT_S: Final = 10.0
# Clocks of machines differ a little, and a call that ends is written down a moment later.
MARGIN_S: Final = 1.0
# What a call may take beyond the longest answer: waits for limits and the journal, and the clocks.
LONGEST_BESIDES: Final = timedelta(minutes=5)
NANO: Final = Decimal(10**9)

_NAME: Final = re.compile(
    re.escape(LIMITS_PREFIX)
    + rf"(?P<run>[^:]+):money:(?P<pilot>\d{{1,18}}):(?P<scope>{'|'.join(SCOPES)})"
    + r":(?P<id>\d{1,18}):[^:]+:\d+"
)
_COLUMNS: Final = {
    "key": "key_id",
    "person": "person_id",
    "candidate": "candidate_id",
    "pilot": "pilot_id",
}

# One scan for all counters of a pilot and scope whose period began together. A call counts when it
# ended: one without a duration ended as it began. Uncosted calls add nothing.
SPENT: Final = """
    SELECT counter.name, coalesce(sum(call.cost_usd), 0)
    FROM unnest(%(names)s::text[], %(ids)s::bigint[], %(sinces)s::timestamptz[])
        AS counter (name, id, since)
    LEFT JOIN usage_call AS call
           ON call.{column} = counter.id
          AND call.pilot_id = %(pilot_id)s
          AND {counted}
          AND call.admitted_at >= %(earliest)s
          AND call.admitted_at < %(latest)s
          AND call.admitted_at + coalesce(call.total_ms, 0) * interval '1 millisecond'
              >= %(start)s
          AND call.admitted_at + coalesce(call.total_ms, 0) * interval '1 millisecond'
              < counter.since
    GROUP BY counter.name
"""

# A counter that vanished meanwhile must not come back as a hash with nothing but these fields, and
# one that has begun anew has all of its past before it again: hence `since`, in what is noted too.
NOTE_SHIPPED: Final = """
if redis.call('HGET', KEYS[1], 'since') ~= ARGV[1] then return 0 end
return redis.call('HSET', KEYS[1], 'shipped', ARGV[1] .. '-' .. ARGV[2])
"""
SEED: Final = """
if redis.call('HGET', KEYS[1], 'since') ~= ARGV[1] then return 0 end
redis.call('HSETNX', KEYS[1], 'seed', ARGV[2])
redis.call('SREM', KEYS[2], KEYS[1])
return 1
"""


@dataclass(frozen=True, slots=True)
class Counter:
    """A money counter whose past is not known. `since` and `start` as Redis holds them, in ms."""

    name: str
    pilot_id: int
    scope: str
    id: int
    start_ms: int
    since_ms: int
    shipped_ms: int | None

    @property
    def start(self) -> datetime:
        return _instant(self.start_ms)

    @property
    def since(self) -> datetime:
        return _instant(self.since_ms)


def seed_money() -> int:
    """Give counters their past where it is known; return how many. The others stay for later."""
    try:
        with _redis() as client:
            return _seed(client)
    except redis.RedisError as problem:
        log.warning("money counters cannot be read now: %s", problem)
    except (OperationalError, InterfaceError) as problem:
        log.warning("money counters wait, the database is away: %s", type(problem).__name__)
        connection.close_if_unusable_or_obsolete()
    return 0


def _seed(client: "redis.Redis") -> int:
    counters = _unseeded(client)
    if not counters:
        return 0
    # In this order: what was shipped when the gateways spoke was in the stream before this moment.
    told: Any = client.hgetall(GATEWAYS_KEY)
    now_ms = _now_ms(client)
    shipped_until = _shipped_until(list(told.values()), now_ms / 1000)
    known = [
        (counter, counter.shipped_ms if counter.shipped_ms is not None else now_ms)
        for counter in counters
        if counter.shipped_ms is not None or shipped_until >= counter.since_ms / 1000 + MARGIN_S
    ]
    for counter, at in known:
        if counter.shipped_ms is None:
            client.eval(NOTE_SHIPPED, 1, counter.name, str(counter.since_ms), str(at))
    oldest_ms = _oldest_ms(client)
    ready = [counter for counter, at in known if oldest_ms is None or oldest_ms > at]
    seeded = 0
    for counter, nano_usd in _spent(ready):
        done: Any = client.eval(
            SEED, 2, counter.name, UNSEEDED_KEY, str(counter.since_ms), str(nano_usd)
        )
        seeded += done
    return seeded


def _unseeded(client: "redis.Redis") -> list[Counter]:
    """Return the counters that wait, and strike those off the list that wait for nothing."""
    names: Any = client.smembers(UNSEEDED_KEY)
    if not names:
        return []
    run_id = client.info("server")["run_id"]
    found = {raw: _counter(client, raw.decode(errors="replace"), run_id) for raw in sorted(names)}
    over = [raw for raw, counter in found.items() if counter is None]
    if over:
        client.srem(UNSEEDED_KEY, *over)
    return [counter for counter in found.values() if counter is not None]


def _counter(client: "redis.Redis", name: str, run_id: str) -> Counter | None:
    """Return the counter of that name; None for one of another server, gone, or malformed."""
    parts = _NAME.fullmatch(name)
    if parts is None:
        log.warning("no name of a money counter: %.200r", name)
        return None
    if parts["run"] != run_id:
        return None
    values: Any = client.hmget(name, ["since", "start", "shipped"])
    if values[0] is None or values[1] is None:
        return None
    try:
        since, start = int(values[0]), int(values[1])
        noted_for, _, at = (values[2] or b"").partition(b"-")
        shipped = int(at) if noted_for == values[0] else None
        _instant(since), _instant(start) - _longest_call()
    except (ValueError, OverflowError, OSError):
        log.warning("a money counter that cannot be read: %s", name)
        return None
    pilot_id, id_ = int(parts["pilot"]), int(parts["id"])
    return Counter(name, pilot_id, parts["scope"], id_, start, since, shipped)


def _shipped_until(beats: Sequence[bytes], now: float) -> float:
    """Return up to when all calls that ended are shipped by every gateway; 0 where none is alive.

    Seconds since 1970, by the gateways' clocks. Under load there is always something on its way,
    so a gateway with a backlog vouches for the time before the oldest of it ended.
    """
    until = []
    for raw in beats:
        beat = orjson.loads(raw)
        if now - beat["at"] <= SILENT_S:
            on_its_way = beat["oldest_age_s"] or 0 if beat["backlog"] else 0
            until.append(beat["at"] - on_its_way)
    return min(until, default=0.0)


def _oldest_ms(client: "redis.Redis") -> int | None:
    """Return when the oldest record that is not stored yet came into the stream."""
    oldest: Any = client.xrange(STREAM, count=1)
    return int(oldest[0][0].split(b"-")[0]) if oldest else None


def _spent(counters: Sequence[Counter]) -> list[tuple[Counter, int]]:
    """Return what calls cost before the counters began, in nano-USD, rounded up."""
    groups: defaultdict[tuple[int, str, int], list[Counter]] = defaultdict(list)
    for counter in counters:
        groups[counter.pilot_id, counter.scope, counter.start_ms].append(counter)
    by_name = {counter.name: counter for counter in counters}
    found: list[tuple[Counter, int]] = []
    with connection.cursor() as cursor:
        for (pilot_id, scope, _), group in groups.items():
            cursor.execute(
                SPENT.format(column=_COLUMNS[scope], counted=COUNTED),
                {
                    "names": [counter.name for counter in group],
                    "ids": [counter.id for counter in group],
                    "sinces": [counter.since for counter in group],
                    "pilot_id": pilot_id,
                    "start": group[0].start,
                    "latest": max(counter.since for counter in group),
                    "earliest": group[0].start - _longest_call(),
                },
            )
            found += [(by_name[name], _nano_usd(usd)) for name, usd in cursor.fetchall()]
    return found


def _longest_call() -> timedelta:
    """No call lasts longer, so the calls that ended in a period began no longer before it."""
    return timedelta(seconds=settings.LONGEST_ANSWER_SECONDS) + LONGEST_BESIDES


def _nano_usd(usd: Decimal) -> int:
    return int((usd * NANO).to_integral_value(ROUND_CEILING))


def _instant(ms: int) -> datetime:
    """The exact instant: a float would be a microsecond off, and calls end at whole ms."""
    return datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000)


def _now_ms(client: "redis.Redis") -> int:
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def _redis() -> "redis.Redis":
    return connect_broker(timeout_s=TIMEOUT_S)
