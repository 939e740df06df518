"""How much of the money that limits allow is used, and which of them are used up.

Limits count what is paid by the token: machines paid by the hour cost the same whether or not a
call is refused. The budget alone is compared with everything that the pilot cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Final

from django.db.models import Sum

from apps.core.figures import money
from apps.core.periods import DAY, Period, day_of, period_of_days, start_of_day
from apps.metrics.queries import hosting_by_candidate, usage_by_candidate, usage_by_person
from apps.metrics.readers import Reader
from apps.metrics.rollup import COUNTED_SOURCES
from apps.metrics.sums import HostingSums, UsageSums
from apps.pilots.models import Limit, LimitPeriod, LimitScope, Pilot
from apps.usage.models import Call

PER: Final = {
    LimitPeriod.DAY.value: " a day",
    LimitPeriod.MONTH.value: " a month",
    LimitPeriod.PILOT.value: " for the whole pilot",
}


@dataclass(frozen=True, slots=True)
class Spent:
    """What one key, person, candidate or pilot spent, and who called there."""

    usd: Decimal
    callers: frozenset[int]


def present_period(pilot: Pilot, period: str, *, now: datetime) -> Period:
    """Return the day or month of the pilot's zone that holds the moment, or the whole pilot."""
    if period == LimitPeriod.PILOT:
        return pilot.period
    today = day_of(now, pilot.zone_info)
    first = today if period == LimitPeriod.DAY else today.replace(day=1)
    return period_of_days(first, today, pilot.zone_info)


def spent_by_subject(pilot: Pilot, scope: str, period: Period) -> Mapping[int, Spent]:
    """Return what was paid by the token, by the id that a limit of the scope names: a key's, a
    person's, a candidate's or the pilot's."""
    match scope:
        case LimitScope.KEY:
            return _spent_by_key(pilot.id, period)
        case LimitScope.PERSON:
            found = usage_by_person(pilot.id, period)
            return {key: Spent(sums.token_usd, sums.callers) for key, sums in found.items()}
        case LimitScope.CANDIDATE:
            found = usage_by_candidate(pilot.id, period)
            return {key: Spent(sums.token_usd, sums.callers) for key, sums in found.items()}
    whole = sum(usage_by_candidate(pilot.id, period).values(), UsageSums())
    return {pilot.id: Spent(whole.token_usd, whole.callers)}


def budget_spent(pilot: Pilot, *, now: datetime) -> Decimal:
    """Return what a pilot has cost up to today: tokens and machines, idle ones too."""
    zone = pilot.zone_info
    tomorrow = start_of_day(day_of(now, zone) + DAY, zone)
    so_far = pilot.period.clipped(pilot.period.start, tomorrow)
    tokens = sum(usage_by_candidate(pilot.id, so_far).values(), UsageSums()).token_usd
    return tokens + sum(hosting_by_candidate(pilot.id, so_far).values(), HostingSums()).total_usd


def subject_id(limit: Limit) -> int | None:
    """Return whose a limit is, as calls name it; None for a general one."""
    person = limit.enrollment.person_id if limit.enrollment else None
    return limit.key_id or person or limit.candidate_id


def money_words(usd: Decimal, period: str) -> str:
    return money(usd) + PER[period]


def used_up(
    pilot: Pilot, *, reader: Reader, now: datetime, spent_usd: Decimal | None = None
) -> list[str]:
    """Say which limits on money are used up in their present period, the budget first.

    `spent_usd` is what the pilot cost up to now, for who has read that already. Few queries: one
    where nothing limits money, and one or two more for each kind of limit and period there is.
    """
    limits = list(
        Limit.objects.filter(pilot=pilot, usd__isnull=False)
        .select_related("candidate", "enrollment")
        .order_by("id")
    )
    told = []
    has_own = any(limit.scope == LimitScope.PILOT for limit in limits)
    if pilot.budget_usd is not None and not has_own:
        spent = budget_spent(pilot, now=now) if spent_usd is None else spent_usd
        if spent >= pilot.budget_usd:
            told.append(f"Budget of {money(pilot.budget_usd)} is used up: {money(spent)} is spent.")

    @cache
    def spent_of(scope: str, period: str) -> Mapping[int, Spent]:
        return spent_by_subject(pilot, scope, present_period(pilot, period, now=now))

    for limit in limits:
        told += _told(pilot, limit, limits, spent_of(limit.scope, limit.period), reader)
    return told


def _told(
    pilot: Pilot,
    limit: Limit,
    limits: list[Limit],
    found: Mapping[int, Spent],
    reader: Reader,
) -> list[str]:
    assert limit.usd is not None
    usd, words = limit.usd, money_words(limit.usd, limit.period)
    then = "calls are refused" if limit.is_hard else "calls go on"
    if limit.scope == LimitScope.PILOT:
        is_over = any(spent.usd >= usd for spent in found.values())
        return [f"The limit of {words} is used up: {then}."] * is_over
    if limit.scope == LimitScope.CANDIDATE and limit.candidate is not None:
        spent = found.get(limit.candidate_id or 0)
        if spent is None or spent.usd < usd or reader.is_few(spent.callers):
            return []
        return [f"The limit of {words} for {limit.candidate.name} is used up: {then}."]
    if limit.key_id or limit.enrollment_id:
        # What one person used is on the page of limits, for those who may see people.
        return []
    own = {subject_id(each) for each in limits if each.scope == limit.scope}
    over = [spent for id_, spent in found.items() if spent.usd >= usd and id_ not in own]
    callers = frozenset[int]().union(*(spent.callers for spent in over))
    if not over or reader.is_few(callers):
        return []
    noun = {"key": "key", "person": "person", "candidate": "candidate"}[limit.scope]
    plural = "people" if noun == "person" else f"{noun}s"
    who = f"1 {noun} has" if len(over) == 1 else f"{len(over)} {plural} have"
    return [f"{who} used up {words}: {then}."]


def _spent_by_key(pilot_id: int, period: Period) -> dict[int, Spent]:
    """Figures are not kept by key, so these are read from the calls themselves."""
    calls = Call.objects.filter(
        pilot_id=pilot_id,
        source__in=COUNTED_SOURCES,
        key_id__isnull=False,
        admitted_at__gte=period.start,
        admitted_at__lt=period.end,
    )
    rows = calls.values("key_id", "person_id").annotate(usd=Sum("cost_usd"))
    return {
        key_id: Spent(usd or Decimal(0), frozenset({person_id}))
        for key_id, person_id, usd in rows.order_by("key_id").values_list(
            "key_id", "person_id", "usd"
        )
        if key_id is not None
    }
