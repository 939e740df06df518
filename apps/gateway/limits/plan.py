"""Which limits hold for one key that calls one candidate, ready to be asked about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from apps.core.periods import DAY, day_of, start_of_day
from apps.gateway.access import Caller
from apps.gateway.contract import SCOPES, UNLESS_SET, CandidateRoute, LimitRoute, PilotRoute
from apps.gateway.resp import packed_argument

REQUESTS, TOKENS, AT_ONCE, MONEY, PILOT_MONEY = "r", "t", "c", "m", "p"
MONEYS: Final = (MONEY, PILOT_MONEY)
FAR: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Counter:
    """One thing that is counted. `name` is its key in Redis behind the server's run id.

    `size` is in requests, tokens, calls or nano-USD. A money counter begins anew at `ends_at`.
    Developers are told nothing of a counter that is not `is_told`.
    """

    kind: str
    scope: str
    name: str
    size: int
    period: str = ""
    start_ms: int = 0
    ends_at: datetime = FAR
    is_hard: bool = True
    is_told: bool = True
    # Its kind and size as they are sent each time.
    head: bytes = field(init=False, compare=False, repr=False, default=b"")

    def __post_init__(self) -> None:
        head = packed_argument(self.kind.encode()) + packed_argument(b"%d" % self.size)
        object.__setattr__(self, "head", head)


def unless_set(calls_at_once: int | None) -> LimitRoute:
    """Return the limit of keys in pilots that have set none."""
    return replace(UNLESS_SET, at_once=calls_at_once)


class Plan:
    """All counters of a call, narrowest scope first. It holds until `valid_until`."""

    def __init__(self, counters: tuple[Counter, ...]) -> None:
        self.counters = counters
        self.valid_until = min((one.ends_at for one in counters), default=FAR)
        self.valid_until_ms = int(self.valid_until.timestamp() * 1000)
        # What is sent of it each time, per run id of the server.
        self.packed: dict[str, bytes] = {}

    @cached_property
    def of_money(self) -> Plan:
        return Plan(tuple([one for one in self.counters if one.kind in MONEYS]))


def plan_of(
    caller: Caller,
    candidate: CandidateRoute,
    now: datetime,
    unless_set: LimitRoute = UNLESS_SET,
    *,
    is_blind: bool = False,
) -> Plan:
    """Return what holds for a call at this instant; limits of keys only where there is a key.

    The limits of a candidate would tell which one answers for a blind alias.
    """
    pilot = caller.pilot
    subjects = {
        "key": caller.key.id,
        "person": caller.key.person_id,
        "candidate": candidate.id,
        "pilot": pilot.id,
    }
    counters = [
        counter
        for scope in SCOPES
        if scope != "key" or caller.key_id is not None
        if (limit := _limit_of(pilot, scope, subjects[scope], unless_set)) is not None
        for counter in _counters(pilot, limit, subjects[scope], now)
    ]
    if is_blind:
        counters = [replace(one, is_told=one.scope != "candidate") for one in counters]
    return Plan(tuple(counters))


def calls_at_once(caller: Caller, unless_set: LimitRoute = UNLESS_SET) -> int | None:
    """Return how many calls a key may have running, or None without a limit or a key."""
    if caller.key_id is None:
        return None
    limit = _limit_of(caller.pilot, "key", caller.key_id, unless_set)
    return limit.at_once if limit is not None else None


def _limit_of(
    pilot: PilotRoute, scope: str, subject: int, unless_set: LimitRoute
) -> LimitRoute | None:
    """Return the limit of one's own, with the general one filling in what it leaves open."""
    general = own = None
    for limit in pilot.limits:
        if limit.scope == scope and limit.id is None:
            general = limit
        elif limit.scope == scope and limit.id == subject:
            own = limit
    if general is None and scope == "key":
        general = unless_set
    if own is None or general is None:
        return own or general
    money = own if own.nano_usd is not None else general
    return LimitRoute(
        scope,
        subject,
        _first(own.requests_per_minute, general.requests_per_minute),
        _first(own.tokens_per_minute, general.tokens_per_minute),
        _first(own.at_once, general.at_once),
        money.nano_usd,
        money.period,
        money.is_hard,
        money.set_at,
    )


def _first(own: int | None, general: int | None) -> int | None:
    return general if own is None else own


def _counters(pilot: PilotRoute, limit: LimitRoute, subject: int, now: datetime) -> list[Counter]:
    whose = f"{pilot.id}:{limit.scope}:{subject}"
    sizes = (
        (REQUESTS, limit.requests_per_minute),
        (TOKENS, limit.tokens_per_minute),
        (AT_ONCE, limit.at_once),
    )
    found = [
        Counter(kind, limit.scope, f"{kind}:{whose}", size)
        for kind, size in sizes
        if size is not None
    ]
    if limit.nano_usd is not None:
        start, end = period_of(limit.period, pilot, now)
        found.append(
            Counter(
                PILOT_MONEY if limit.period == "pilot" else MONEY,
                limit.scope,
                f"money:{whose}:{limit.period}:{limit.set_at}",
                limit.nano_usd,
                limit.period,
                int(start.timestamp() * 1000),
                end,
                limit.is_hard,
            )
        )
    return found


def period_of(period: str, pilot: PilotRoute, now: datetime) -> tuple[datetime, datetime]:
    """Return in UTC the day or month of the pilot's zone that holds an instant, or the pilot."""
    if period == "pilot":
        return pilot.opens_at, pilot.closes_at
    zone = ZoneInfo(pilot.zone)
    first = day_of(now, zone)
    if period == "day":
        following = first + DAY
    else:
        first = first.replace(day=1)
        following = (first + 31 * DAY).replace(day=1)
    return start_of_day(first, zone), start_of_day(following, zone)
