"""What candidates cost: prices of tokens, and machines paid for by the hour.

Each change is one transaction and audited. Changing when machines ran changes the past, so the
quarter-hours concerned are marked for a rebuild.
"""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from apps.accounts.models import Person
from apps.catalog.candidates import unretired
from apps.catalog.models import Candidate, HostingInterval, Price
from apps.catalog.trail import note
from apps.changes.actions import mark_period_dirty
from apps.core.money import MONEY_STEP
from apps.core.periods import Period


class PriceInThePast(Exception):
    """The new price would not start after the one it replaces; `since` is when that one did."""

    def __init__(self, since: datetime) -> None:
        super().__init__(since.isoformat())
        self.since = since


class StartsInTheFuture(Exception):
    """Prices and machines are entered once they apply."""


class HostingOverlaps(Exception):
    """The candidate's machines are already counted during some of this time."""


class HostingEndsBeforeItStarts(Exception):
    """The machines would have stopped before they were started."""


@transaction.atomic
def set_price(
    *,
    candidate: Candidate,
    input_usd_per_mtok: Decimal,
    cached_usd_per_mtok: Decimal,
    output_usd_per_mtok: Decimal,
    now: datetime,
    valid_from: datetime | None = None,
    source: str = "typed",
    currency: str = "USD",
    usd_per_unit: Decimal = Decimal(1),
    rate_date: date | None = None,
    actor: Person | None = None,
) -> Price:
    """Close a candidate's open price and open another, from now or from a moment before.

    Calls that are stored already keep the cost they have. In another currency, the USD given are
    the typed amounts times `usd_per_unit`, the rate of `rate_date`.
    Raises PriceInThePast, StartsInTheFuture, CandidateRetired.
    """
    locked, since = unretired(candidate), valid_from or now
    if since > now:
        raise StartsInTheFuture
    newest = Price.objects.filter(candidate=locked).order_by("-valid_from", "-id").first()
    if newest is not None and newest.valid_to is None:
        if newest.valid_from >= since:
            raise PriceInThePast(newest.valid_from)
        newest.valid_to = since
        newest.save(update_fields=["valid_to"])
    elif newest is not None and newest.valid_to and newest.valid_to > since:
        raise PriceInThePast(newest.valid_to)
    price = Price.objects.create(
        candidate=locked,
        input_usd_per_mtok=_in_steps(input_usd_per_mtok),
        cached_usd_per_mtok=_in_steps(cached_usd_per_mtok),
        output_usd_per_mtok=_in_steps(output_usd_per_mtok),
        valid_from=since,
        source=source,
        currency=currency,
        usd_per_unit=usd_per_unit,
        rate_date=rate_date,
    )
    detail = {
        "usd_per_mtok": [input_usd_per_mtok, cached_usd_per_mtok, output_usd_per_mtok],
        "from": since,
        "source": source,
    }
    note(locked, "price set", actor, now, detail)
    return price


@transaction.atomic
def start_hosting(
    *,
    candidate: Candidate,
    usd_per_hour: Decimal,
    now: datetime,
    count: int = 1,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    actor: Person | None = None,
) -> HostingInterval:
    """Count machines from now on, or between two moments before.

    Calls while they run need no price: they share what the machines cost. Calls at other times do,
    or they count as uncosted.

    Raises HostingOverlaps, HostingEndsBeforeItStarts, StartsInTheFuture, CandidateRetired.
    """
    locked, since = unretired(candidate), started_at or now
    _check_times(locked, since, ended_at, now)
    interval = HostingInterval.objects.create(
        candidate=locked,
        usd_per_hour=_in_steps(usd_per_hour),
        count=count,
        started_at=since,
        ended_at=ended_at,
    )
    _mark(interval, now)
    note(locked, "hosting started", actor, now, _told(interval))
    return interval


def stop_hosting(
    *,
    interval: HostingInterval,
    now: datetime,
    ended_at: datetime | None = None,
    actor: Person | None = None,
) -> HostingInterval:
    """Count machines no longer, from now or from a moment before.

    Raises HostingEndsBeforeItStarts, StartsInTheFuture.
    """
    return change_hosting(
        interval=interval,
        usd_per_hour=interval.usd_per_hour,
        count=interval.count,
        started_at=interval.started_at,
        ended_at=ended_at or now,
        now=now,
        actor=actor,
    )


@transaction.atomic
def change_hosting(
    *,
    interval: HostingInterval,
    usd_per_hour: Decimal,
    count: int,
    started_at: datetime,
    ended_at: datetime | None,
    now: datetime,
    actor: Person | None = None,
) -> HostingInterval:
    """Correct an interval; the time it covered and the time it covers are computed again.

    Raises HostingOverlaps, HostingEndsBeforeItStarts, StartsInTheFuture.
    """
    # The candidate's row makes changes of its intervals queue.
    candidate = Candidate.objects.select_for_update().get(id=interval.candidate_id)
    locked = HostingInterval.objects.get(id=interval.id)
    _check_times(candidate, started_at, ended_at, now, but=locked)
    _mark(locked, now)
    locked.usd_per_hour, locked.count = _in_steps(usd_per_hour), count
    locked.started_at, locked.ended_at = started_at, ended_at
    locked.save(update_fields=["usd_per_hour", "count", "started_at", "ended_at"])
    _mark(locked, now)
    note(candidate, "hosting changed", actor, now, _told(locked))
    return locked


def _check_times(
    candidate: Candidate,
    started_at: datetime,
    ended_at: datetime | None,
    now: datetime,
    but: HostingInterval | None = None,
) -> None:
    if started_at > now or (ended_at is not None and ended_at > now):
        raise StartsInTheFuture
    if ended_at is not None and ended_at <= started_at:
        raise HostingEndsBeforeItStarts
    others = candidate.hosting_intervals.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=started_at)
    )
    if ended_at is not None:
        others = others.filter(started_at__lt=ended_at)
    if others.exclude(id=but.id if but else 0).exists():
        raise HostingOverlaps


def _mark(interval: HostingInterval, now: datetime) -> None:
    mark_period_dirty(
        Period(interval.started_at, max(interval.started_at, interval.ended_at or now))
    )


def _told(interval: HostingInterval) -> dict[str, object]:
    return {
        "usd_per_hour": interval.usd_per_hour,
        "count": interval.count,
        "from": interval.started_at,
        "to": interval.ended_at,
    }


def _in_steps(usd: Decimal) -> Decimal:
    return usd.quantize(MONEY_STEP)
