"""Marking what time alone makes out of date."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from apps.catalog.models import HostingInterval
from apps.changes.actions import claim, mark_dirty
from apps.core.periods import QUARTER, Period, floor_quarter, quarters
from apps.metrics.models import QuarterHosting
from apps.metrics.rebuild import without_calls

JOB: Final = "hosting quarters"
CATCH_UP: Final = timedelta(days=400)


@transaction.atomic
def mark_hosting_quarters(*, now: datetime) -> int:
    """Mark the hosted quarter-hours that have no cost yet, so that idle machines cost, too.

    That is the one that has just begun and, after a time when nothing ran, all that were missed, at
    most 400 days back. Return how many; none when another worker has taken this quarter-hour.
    """
    quarter = floor_quarter(now)
    if not claim(job=JOB, period=quarter.isoformat(), now=now):
        return 0
    missing = _hosted_without_cost(Period(quarter - CATCH_UP, quarter + QUARTER))
    missing -= without_calls(missing)
    mark_dirty(missing)
    return len(missing)


def _hosted_without_cost(period: Period) -> set[datetime]:
    built = set(
        QuarterHosting.objects.filter(
            quarter__gte=period.start, quarter__lt=period.end
        ).values_list("candidate_id", "quarter")
    )
    missing = set()
    for span in HostingInterval.objects.order_by("id"):
        runs = Period(span.started_at, span.ended_at or max(span.started_at, period.end))
        hosted = runs.clipped(period.start, period.end)
        if hosted.length:
            missing |= {
                quarter for quarter in quarters(hosted) if (span.candidate_id, quarter) not in built
            }
    return missing
