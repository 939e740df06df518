"""Figures of several periods at once: as many queries for four windows as for one."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import Model, Q, Sum

from apps.core.periods import Period, floor_quarter
from apps.metrics.models import (
    FIRST_CONTENT,
    DayHosting,
    DayLatency,
    DayUsage,
    QuarterHosting,
    QuarterLatency,
    QuarterUsage,
)
from apps.metrics.queries import condition, hosting_from, site_zone, usage_from
from apps.metrics.slices import Slices, slices_of
from apps.metrics.sums import Figures, HostingSums, LatencySums, UsageSums

Sums = TypeVar("Sums", UsageSums, HostingSums)


def figures_of_windows(
    pilot_id: int, windows: Sequence[Period], *, task: str = ""
) -> list[dict[int, Figures]]:
    """Return what is known about each candidate's calls, for each window, by candidate id."""
    cuts = [slices_of(window, site_zone()) for window in windows]
    narrowed = condition(pilot_id, task=task)
    usage = _summed(cuts, DayUsage, QuarterUsage, narrowed, usage_from, UsageSums)
    hosting = _summed(
        cuts, DayHosting, QuarterHosting, condition(pilot_id), hosting_from, HostingSums
    )
    latency = _latency(cuts, narrowed)
    return [
        {
            key: Figures(
                own_usage.get(key, UsageSums()),
                own_hosting.get(key, HostingSums()),
                own_latency.get(key, LatencySums()),
                task_only=bool(task),
            )
            for key in {*own_usage, *own_hosting, *own_latency}
        }
        for own_usage, own_hosting, own_latency in zip(usage, hosting, latency, strict=True)
    ]


def _days(cut: Slices) -> Q:
    return Q(day__gte=cut.first_day, day__lt=cut.end_day)


def _edges(cut: Slices) -> Q:
    return reduce(
        or_, (Q(quarter__gte=floor_quarter(e.start), quarter__lt=e.end) for e in cut.edges)
    )


def _summed(
    cuts: Sequence[Slices],
    days: type[Model],
    quarters: type[Model],
    where: Q,
    add_up: Callable[..., dict[tuple[Any, ...], Sums]],
    nothing: Callable[[], Sums],
) -> list[dict[int, Sums]]:
    """Read every slice that any window needs once, and add it to the windows that hold it."""
    found: list[dict[int, Sums]] = [defaultdict(nothing) for _ in cuts]
    with_days = [_days(cut) for cut in cuts if cut.has_days]
    if with_days:
        rows = days._default_manager.filter(where, reduce(or_, with_days))
        for (day, candidate), sums in add_up([rows], ("day", "candidate_id")).items():
            for own, cut in zip(found, cuts, strict=True):
                if _holds_day(cut, day):
                    own[candidate] += sums
    with_edges = [_edges(cut) for cut in cuts if cut.edges]
    if with_edges:
        rows = quarters._default_manager.filter(where, reduce(or_, with_edges))
        for (quarter, candidate), sums in add_up([rows], ("quarter", "candidate_id")).items():
            for own, cut in zip(found, cuts, strict=True):
                if _holds_quarter(cut, quarter):
                    own[candidate] += sums
    return found


def _holds_day(cut: Slices, day: date) -> bool:
    return cut.first_day <= day < cut.end_day


def _holds_quarter(cut: Slices, quarter: datetime) -> bool:
    return any(floor_quarter(edge.start) <= quarter < edge.end for edge in cut.edges)


def _latency(cuts: Sequence[Slices], where: Q) -> list[dict[int, LatencySums]]:
    """Add up histograms: a column for each window, since rows by day would be many."""
    found: list[dict[int, LatencySums]] = [defaultdict(LatencySums) for _ in cuts]
    of_days = [(index, _days(cut)) for index, cut in enumerate(cuts) if cut.has_days]
    of_edges = [(index, _edges(cut)) for index, cut in enumerate(cuts) if cut.edges]
    for table, ranges in ((DayLatency, of_days), (QuarterLatency, of_edges)):
        if not ranges:
            continue
        rows = table._default_manager.filter(where, reduce(or_, (q for _, q in ranges)))
        columns = {f"window_{index}": Sum("calls", filter=q) for index, q in ranges}
        named = rows.values_list("candidate_id", "measure", "bucket").annotate(**columns)
        for candidate, measure, bucket, *counts in named.order_by():
            for (index, _), count in zip(ranges, counts, strict=True):
                if count:
                    own = found[index][candidate]
                    (own.first_content if measure == FIRST_CONTENT else own.total)[bucket] += count
    return found
