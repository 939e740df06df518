"""Replacing derived rows by fresh sums: a slice is emptied and filled in one transaction.

No call is lost between drain and rebuild. A marker is committed together with its call, a rebuild
reads the calls after it has locked the markers, and deletes no others: a call that it did not see
has left a marker that it did not lock.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min

from apps.changes.models import DirtySlice
from apps.core.periods import DAY, Period, day_of, quarters, start_of_day
from apps.metrics import rollup
from apps.metrics.histogram import EDGES_MS
from apps.metrics.models import QuarterUsage
from apps.pilots.models import Trial
from apps.usage.models import Call

log = logging.getLogger(__name__)

# About five days of quarter-hours: so much is rebuilt in one transaction.
AT_ONCE: Final = 480
# The drain waits for its turn on the same worker.
REBUILD_SECONDS: Final = 3.0
# The space of our advisory locks; within it, days are known by their number.
_DAY_LOCKS: Final = 7_002


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many quarter-hours and days were replaced, and how many quarter-hours left alone because
    their calls are kept no more."""

    quarters: int = 0
    days: int = 0
    left_alone: int = 0

    def __add__(self, other: "Rebuilt") -> "Rebuilt":
        return Rebuilt(
            self.quarters + other.quarters,
            self.days + other.days,
            self.left_alone + other.left_alone,
        )


def rebuild_dirty(*, now: datetime, seconds: float = REBUILD_SECONDS) -> Rebuilt:
    """Rebuild what is marked, newest first, for about so many seconds."""
    ends_at = time.monotonic() + seconds
    total = Rebuilt()
    while (done := _rebuild_marked(now=now)) is not None:
        total += done
        if time.monotonic() > ends_at:
            break
    return total


def rebuild_period(period: Period, *, now: datetime) -> Rebuilt:
    """Rebuild every quarter-hour that shares time with the period, and their days."""
    total, starts = Rebuilt(), quarters(period)
    while some := list(islice(starts, AT_ONCE)):
        total += rebuild_quarters(some, now=now)
    return total


@transaction.atomic
def rebuild_quarters(starts: Iterable[datetime], *, now: datetime) -> Rebuilt:
    """Rebuild quarter-hours, given by their starts, and the site's days that they lie in.

    What has rows, but is older than the oldest kept call's month, is left alone: its calls are
    gone, and so would its rows be.
    """
    asked = sorted(set(starts))
    gone = without_calls(asked)
    if gone:
        log.warning("%d quarter-hours are older than the calls kept; left alone", len(gone))
    wanted = [start for start in asked if start not in gone]
    if not wanted:
        return Rebuilt(left_alone=len(gone))
    zone = ZoneInfo(settings.TIME_ZONE)
    days = sorted({day_of(start, zone) for start in wanted})
    with connection.cursor() as cursor:
        # Waits until nobody else rebuilds these days or a quarter-hour in them; what is read after
        # that is newer than what they read. In order, so that no two wait for each other.
        numbers = [day.toordinal() for day in days]
        cursor.execute(rollup.LOCK_DAYS, {"space": _DAY_LOCKS, "numbers": numbers})
        in_quarters: dict[str, Any] = _trials()
        in_quarters |= {"quarters": wanted, "now": now, "edges_ms": list(EDGES_MS)}
        pilots = _pilots(wanted)
        for statement in (*rollup.EMPTY_QUARTERS, *rollup.FILL_QUARTERS):
            cursor.execute(statement, in_quarters)
        for statement in (*rollup.EMPTY_DAYS, *rollup.FILL_DAYS):
            cursor.execute(statement, _bounds(days, zone))
        pilots |= _pilots(wanted)
        cursor.execute(rollup.RAISE_GENERATION, {"pilots": sorted(pilots), "now": now})
    return Rebuilt(len(wanted), len(days), len(gone))


def calls_kept_from() -> datetime | None:
    """Return from when on calls are kept: the start of the oldest one's month; None without any."""
    oldest: datetime | None = Call.objects.aggregate(at=Min("admitted_at"))["at"]
    if oldest is None:
        return None
    return oldest.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def without_calls(starts: Iterable[datetime]) -> set[datetime]:
    """Which quarter-hours have rows, but not the calls that they were made from any more."""
    kept_from = calls_kept_from()
    old = [start for start in starts if kept_from is None or start < kept_from]
    return set(
        QuarterUsage.objects.filter(quarter__in=old).values_list("quarter", flat=True).distinct()
    )


@transaction.atomic
def _rebuild_marked(*, now: datetime) -> Rebuilt | None:
    """Rebuild one batch of marked quarter-hours; None when none is marked."""
    markers = list(
        DirtySlice.objects.select_for_update(skip_locked=True)
        .order_by("-quarter", "-id")
        .values_list("id", "quarter")[:AT_ONCE]
    )
    if not markers:
        return None
    done = rebuild_quarters([quarter for _, quarter in markers], now=now)
    DirtySlice.objects.filter(id__in=[marker for marker, _ in markers]).delete()
    return done


def _pilots(starts: list[datetime]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(rollup.QUARTER_PILOTS, {"quarters": starts})
        return {pilot_id for (pilot_id,) in cursor.fetchall()}


def _trials() -> dict[str, list[Any]]:
    """When candidates were on trial while their pilot ran, as parameters of the hosting's SQL."""
    spans = []
    for trial in Trial.objects.select_related("pilot").order_by("id"):
        runs = trial.pilot.period
        start, end = max(trial.added_at, runs.start), min(trial.dropped_at or runs.end, runs.end)
        if start < end:
            spans.append((trial.pilot_id, trial.candidate_id, start, end))
    names = ("trial_pilots", "trial_candidates", "trial_starts", "trial_ends")
    return {name: [span[place] for span in spans] for place, name in enumerate(names)}


def _bounds(days: list[date], zone: ZoneInfo) -> dict[str, list[Any]]:
    return {
        "days": days,
        "starts": [start_of_day(day, zone) for day in days],
        "ends": [start_of_day(day + DAY, zone) for day in days],
    }
