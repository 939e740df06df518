"""Sums for pages, from derived rows only: whole days, and quarter-hours at a period's edges.

How many queries a function asks depends on the period's edges, never on the number of rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import reduce
from operator import add, or_
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Model, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from apps.core.periods import Period, floor_quarter
from apps.metrics.models import (
    FIRST_CONTENT,
    DayHosting,
    DayLatency,
    DayUsage,
    Generation,
    QuarterHosting,
    QuarterLatency,
    QuarterUsage,
)
from apps.metrics.slices import slices_of
from apps.metrics.sums import (
    ADDED,
    ANSWER_TASKS,
    UNITED,
    Figures,
    HostingSums,
    LatencySums,
    UsageSums,
)

Group = tuple[Any, ...]
_ANSWERS: Final = Q(task__in=ANSWER_TASKS)
USAGE_SUMS: Final = {
    f"sum_{name}": (
        Sum(name.removeprefix("answer_"), filter=_ANSWERS, default=0)
        if name.startswith("answer_")
        else Sum(name)
    )
    for name in ADDED
} | {
    f"own_{name}": Coalesce(ArrayAgg("person_id", filter=who, distinct=True), Value([]))
    for name, who in (
        ("people", Q(ok__gt=0)),
        ("callers", Q(calls__gt=0)),
        ("raters", Q(rated__gt=0)),
    )
}


def site_zone() -> ZoneInfo:
    """Give the zone whose days the day tier holds."""
    return ZoneInfo(settings.TIME_ZONE)


def in_period(
    days: type[Model], quarters: type[Model], period: Period, condition: Q
) -> Iterator[QuerySet[Any]]:
    """Yield the rows that add up to a period: of one table, or of both."""
    cut = slices_of(period, site_zone())
    if cut.has_days:
        manager = days._default_manager
        yield manager.filter(condition, day__gte=cut.first_day, day__lt=cut.end_day)
    if cut.edges:
        edges = (
            Q(quarter__gte=floor_quarter(edge.start), quarter__lt=edge.end) for edge in cut.edges
        )
        yield quarters._default_manager.filter(condition, reduce(or_, edges))


def condition(pilot_id: int, **only: Any) -> Q:
    """Give the filter of a pilot's rows; an argument of None, "" or () does not narrow."""
    return Q(pilot_id=pilot_id, **{name: value for name, value in only.items() if value})


def usage_from(rows: Iterable[QuerySet[Any]], by: tuple[str, ...]) -> dict[Group, UsageSums]:
    """Add up usage by the named columns."""
    sums: dict[Group, UsageSums] = defaultdict(UsageSums)
    for queryset in rows:
        for row in queryset.values(*by).annotate(**USAGE_SUMS).order_by(*by):
            values = {name: row[f"sum_{name}"] for name in ADDED}
            values |= {name: frozenset(row[f"own_{name}"]) for name in UNITED}
            sums[tuple(row[name] for name in by)] += UsageSums(**values)
    return sums


def hosting_from(rows: Iterable[QuerySet[Any]], by: tuple[str, ...]) -> dict[Group, HostingSums]:
    """Add up what machines cost by the named columns."""
    sums: dict[Group, HostingSums] = defaultdict(HostingSums)
    for queryset in rows:
        totals = queryset.values(*by).annotate(busy=Sum("busy_usd"), idle=Sum("idle_usd"))
        for row in totals.order_by(*by):
            sums[tuple(row[name] for name in by)] += HostingSums(row["busy"], row["idle"])
    return sums


def latency_from(rows: Iterable[QuerySet[Any]], by: tuple[str, ...]) -> dict[Group, LatencySums]:
    """Add up histograms by the named columns."""
    sums: dict[Group, LatencySums] = defaultdict(LatencySums)
    for queryset in rows:
        named = queryset.values_list(*by, "measure", "bucket").annotate(count=Sum("calls"))
        for *group, measure, bucket, count in named.order_by():
            each = sums[tuple(group)]
            counts = each.first_content if measure == FIRST_CONTENT else each.total
            counts[bucket] += count
    return sums


def figures_by_candidate(
    pilot_id: int, period: Period, *, task: str = "", candidate_id: int | None = None
) -> dict[int, Figures]:
    """Return what is known about each candidate's calls, by its id; empty ones are left out."""
    usage = usage_by_candidate(pilot_id, period, task=task, candidate_id=candidate_id)
    hosting = hosting_by_candidate(pilot_id, period, candidate_id=candidate_id)
    latency = latency_by_candidate(pilot_id, period, task=task, candidate_id=candidate_id)
    return {
        key: Figures(
            usage.get(key, UsageSums()),
            hosting.get(key, HostingSums()),
            latency.get(key, LatencySums()),
            task_only=bool(task),
        )
        for key in {*usage, *hosting, *latency}
    }


def usage_by_candidate(
    pilot_id: int, period: Period, *, task: str = "", candidate_id: int | None = None
) -> dict[int, UsageSums]:
    where = condition(pilot_id, task=task, candidate_id=candidate_id)
    rows = in_period(DayUsage, QuarterUsage, period, where)
    return {key: sums for (key,), sums in usage_from(rows, ("candidate_id",)).items()}


def usage_by_task(pilot_id: int, period: Period, *, candidate_id: int) -> dict[str, UsageSums]:
    """Return a candidate's calls by task."""
    where = condition(pilot_id, candidate_id=candidate_id)
    rows = in_period(DayUsage, QuarterUsage, period, where)
    return {key: sums for (key,), sums in usage_from(rows, ("task",)).items()}


def usage_by_candidate_and_task(pilot_id: int, period: Period) -> dict[int, dict[str, UsageSums]]:
    rows = in_period(DayUsage, QuarterUsage, period, condition(pilot_id))
    found: dict[int, dict[str, UsageSums]] = defaultdict(dict)
    for (candidate, task), sums in usage_from(rows, ("candidate_id", "task")).items():
        found[candidate][task] = sums
    return found


def usage_by_person(
    pilot_id: int, period: Period, *, person_id: int | None = None
) -> dict[int, UsageSums]:
    """Return everybody's calls by person id. Whether they may be shown is the page's to know."""
    rows = in_period(DayUsage, QuarterUsage, period, condition(pilot_id, person_id=person_id))
    return {key: sums for (key,), sums in usage_from(rows, ("person_id",)).items()}


def total_usage(pilot_id: int, period: Period) -> UsageSums:
    return reduce(add, usage_by_candidate(pilot_id, period).values(), UsageSums())


def hosting_by_candidate(
    pilot_id: int, period: Period, *, candidate_id: int | None = None
) -> dict[int, HostingSums]:
    where = condition(pilot_id, candidate_id=candidate_id)
    rows = in_period(DayHosting, QuarterHosting, period, where)
    return {key: sums for (key,), sums in hosting_from(rows, ("candidate_id",)).items()}


def latency_by_candidate(
    pilot_id: int, period: Period, *, task: str = "", candidate_id: int | None = None
) -> dict[int, LatencySums]:
    where = condition(pilot_id, task=task, candidate_id=candidate_id)
    rows = in_period(DayLatency, QuarterLatency, period, where)
    return {key: sums for (key,), sums in latency_from(rows, ("candidate_id",)).items()}


def latency_by_task(pilot_id: int, period: Period, *, candidate_id: int) -> dict[str, LatencySums]:
    rows = in_period(
        DayLatency, QuarterLatency, period, condition(pilot_id, candidate_id=candidate_id)
    )
    return {key: sums for (key,), sums in latency_from(rows, ("task",)).items()}


def tasks_used(pilot_id: int) -> list[str]:
    """Return the tasks that a pilot's calls were made for, by name."""
    tasks = DayUsage.objects.filter(pilot_id=pilot_id).order_by("task")
    return list(tasks.values_list("task", flat=True).distinct())


def has_called(pilot_id: int, person_id: int) -> bool:
    """Tell whether anyone's call has been counted for this person in a pilot."""
    return DayUsage.objects.filter(pilot_id=pilot_id, person_id=person_id).exists()


def generation_of(pilot_id: int) -> tuple[int, datetime | None]:
    """Return how often a pilot's rows were rebuilt, and when last; (0, None) before the first."""
    row = Generation.objects.filter(pilot_id=pilot_id).first()
    return (row.number, row.rebuilt_at) if row else (0, None)
