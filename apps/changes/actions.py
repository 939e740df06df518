"""Saying that something changed. Called in the transaction of the change itself."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from apps.changes.models import DirtySlice, JobClaim, RoutesVersion
from apps.core.periods import Period, floor_quarter, quarters

CLAIMS_KEPT = timedelta(days=14)
_route_listeners: list[Callable[[], None]] = []


def mark_dirty(instants: Iterable[datetime]) -> None:
    """Mark the quarter-hours that hold these instants for a rebuild."""
    starts = sorted({floor_quarter(at) for at in instants})
    DirtySlice.objects.bulk_create([DirtySlice(quarter=start) for start in starts])


def mark_period_dirty(period: Period) -> None:
    """Mark every quarter-hour of a period for a rebuild."""
    mark_dirty(quarters(period))


def on_routes_changed(listener: Callable[[], None]) -> None:
    """Have a function called after every committed change of the routes."""
    _route_listeners.append(listener)


@transaction.atomic
def routes_changed() -> int:
    """Raise the version of the routes; the new table is published once this is committed.

    The row lock makes concurrent changes queue, so a higher version never describes less.
    """
    RoutesVersion.objects.get_or_create(id=1)
    RoutesVersion.objects.filter(id=1).update(version=F("version") + 1)
    for listener in _route_listeners:
        # Robust: a broker that is away must not undo the change; the schedule publishes later.
        transaction.on_commit(listener, robust=True)
    return RoutesVersion.objects.get(id=1).version


def claim(*, job: str, period: str, now: datetime) -> bool:
    """Take a periodic job for a period. False when another worker has taken it."""
    _, is_new = JobClaim.objects.get_or_create(job=job, period=period, defaults={"claimed_at": now})
    return is_new


def forget_old_claims(*, now: datetime) -> int:
    """Delete claims that no schedule can repeat any more; return how many."""
    return JobClaim.objects.filter(claimed_at__lt=now - CLAIMS_KEPT).delete()[0]
