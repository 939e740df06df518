"""Sums by day, for trends and for what was spent so far."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import DateField, F, Model, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from apps.core.periods import Period
from apps.metrics.models import (
    DayHosting,
    DayLatency,
    DayUsage,
    QuarterHosting,
    QuarterLatency,
    QuarterUsage,
)
from apps.metrics.queries import (
    Group,
    condition,
    hosting_from,
    in_period,
    latency_from,
    site_zone,
    usage_from,
)
from apps.metrics.slices import are_the_same_days, days_of
from apps.metrics.sums import Figures, HostingSums, LatencySums, UsageSums

BY_DAY = ("on_day", "candidate_id")
NOTHING: tuple[Decimal, int, frozenset[int]] = (Decimal(0), 0, frozenset())


@dataclass(frozen=True, slots=True)
class CandidateDay:
    """One day of one candidate; a day without a call has empty figures."""

    day: date
    figures: Figures


def by_day(
    days: type[Model], quarters: type[Model], period: Period, zone: ZoneInfo, where: Q
) -> Iterator[QuerySet[Any]]:
    """Yield the rows that add up to a period, each with `on_day`, a day of the zone."""
    if are_the_same_days(period, zone, site_zone()):
        for rows in in_period(days, quarters, period, where):
            on_day = F("day") if rows.model is days else TruncDate("quarter", tzinfo=zone)
            yield rows.annotate(on_day=on_day)
        return
    # Their days end within ours: only the quarter-hours know where.
    rows = quarters._default_manager.filter(
        where, quarter__gte=period.start, quarter__lt=period.end
    )
    yield rows.annotate(on_day=TruncDate("quarter", tzinfo=zone, output_field=DateField()))


def days_by_candidate(
    pilot_id: int,
    period: Period,
    zone: ZoneInfo,
    *,
    candidate_id: int | None = None,
    latency: bool = True,
) -> dict[int, list[CandidateDay]]:
    """Return each candidate's days in order, every day of the period, by candidate id."""
    where = condition(pilot_id, candidate_id=candidate_id)
    usage = usage_from(by_day(DayUsage, QuarterUsage, period, zone, where), BY_DAY)
    hosting = hosting_from(by_day(DayHosting, QuarterHosting, period, zone, where), BY_DAY)
    times = {}
    if latency:
        times = latency_from(by_day(DayLatency, QuarterLatency, period, zone, where), BY_DAY)
    days = list(days_of(period, zone))
    return {
        candidate: [
            CandidateDay(
                day,
                Figures(
                    usage.get((day, candidate), UsageSums()),
                    hosting.get((day, candidate), HostingSums()),
                    times.get((day, candidate), LatencySums()),
                ),
            )
            for day in days
        ]
        for candidate in sorted({key[1] for key in (*usage, *hosting, *times)})
    }


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What one candidate cost on one day; `uncosted` calls are in none of it.

    `callers` are whose calls it paid for: none where machines stood idle.
    """

    day: date
    usd: Decimal
    idle_usd: Decimal
    uncosted: int
    callers: frozenset[int] = frozenset()


def spending_by_candidate(
    pilot_id: int, period: Period, zone: ZoneInfo
) -> dict[int, list[DaySpend]]:
    """Return each candidate's spending in order, every day of the period, by candidate id."""
    where = condition(pilot_id)
    tokens: dict[Group, tuple[Decimal, int, frozenset[int]]] = {}
    for rows in by_day(DayUsage, QuarterUsage, period, zone, where):
        sums = rows.values_list(*BY_DAY).annotate(
            usd=Sum("token_usd"),
            missing=Sum("uncosted"),
            callers=ArrayAgg("person_id", distinct=True),
        )
        for *group, usd, missing, callers in sums.order_by():
            known = tokens.get(tuple(group), NOTHING)
            tokens[tuple(group)] = (known[0] + usd, known[1] + missing, known[2] | set(callers))
    hosting = hosting_from(by_day(DayHosting, QuarterHosting, period, zone, where), BY_DAY)
    days = list(days_of(period, zone))

    def spend(day: date, candidate: int) -> DaySpend:
        usd, missing, callers = tokens.get((day, candidate), NOTHING)
        machines = hosting.get((day, candidate), HostingSums())
        return DaySpend(day, usd + machines.total_usd, machines.idle_usd, missing, callers)

    return {
        candidate: [spend(day, candidate) for day in days]
        for candidate in sorted({key[1] for key in (*tokens, *hosting)})
    }
