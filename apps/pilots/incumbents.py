"""What the team has already and does not pass our endpoint, such as Copilot: never blind.

Its days are typed or imported; a day that comes again replaces what was known of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Prefetch

from apps.accounts.models import Person
from apps.core.periods import Period, day_of
from apps.pilots.models import Incumbent, IncumbentDay, Pilot, Plan
from apps.pilots.trail import note, open_pilot

TYPED = "typed"


class NameTaken(Exception):
    """The pilot has an incumbent of this name."""


class IncumbentRemoved(Exception):
    """It was removed from the pilot."""


class InUse(Exception):
    """The plan compares candidates with it."""


@dataclass(frozen=True, slots=True)
class ToolDay:
    """One day as a tool reports it; None is what it does not tell."""

    day: date
    active_people: int | None = None
    shown: int | None = None
    accepted: int | None = None
    chats: int | None = None

    @property
    def is_possible(self) -> bool:
        """Nothing is accepted that was not shown."""
        return self.accepted is None or (self.shown is not None and self.accepted <= self.shown)


@dataclass(frozen=True, slots=True)
class IncumbentFigures:
    """An incumbent over the days of a period of which something is known.

    `acceptance` is accepted / shown, a share of 1, over days that tell both; `active_most` and
    `active_mean` are people a day; money is in USD, and seats are paid for whether used or not.
    """

    incumbent: Incumbent
    days: int
    first_day: date | None
    last_day: date | None
    shown: int
    accepted: int
    chats: int | None
    acceptance: Decimal | None
    active_most: int | None
    active_mean: Decimal | None
    usd_per_month: Decimal

    @property
    def usd_per_active_month(self) -> Decimal | None:
        """What a month costs for each of those who use it on a day."""
        return self.usd_per_month / self.active_mean if self.active_mean else None


def days_of(incumbent: Incumbent) -> list[IncumbentDay]:
    """Return what is known of an incumbent, newest first."""
    return list(incumbent.days.order_by("-day"))


def incumbent_figures(pilot: Pilot, period: Period) -> list[IncumbentFigures]:
    """Return the figures of each incumbent over the days of the pilot's zone that share time with
    a period, in order of entry. Two queries.
    """
    if not period.length:
        first, last = date.max, date.min
    else:
        first = day_of(period.start, pilot.zone_info)
        last = day_of(period.end - timedelta(microseconds=1), pilot.zone_info)
    standing = Prefetch(
        "days",
        IncumbentDay.objects.filter(day__gte=first, day__lte=last).order_by("day"),
        to_attr="days_in_period",
    )
    incumbents = Incumbent.objects.filter(pilot=pilot, removed_at__isnull=True)
    return [
        _figures(each, getattr(each, "days_in_period", []))
        for each in incumbents.prefetch_related(standing).order_by("created_at", "id")
    ]


def _figures(incumbent: Incumbent, days: Sequence[IncumbentDay]) -> IncumbentFigures:
    told = [each for each in days if each.shown is not None and each.accepted is not None]
    shown = sum(each.shown or 0 for each in told)
    accepted = sum(each.accepted or 0 for each in told)
    active = [each.active_people for each in days if each.active_people is not None]
    chats = [each.chats for each in days if each.chats is not None]
    return IncumbentFigures(
        incumbent=incumbent,
        days=len(days),
        first_day=days[0].day if days else None,
        last_day=days[-1].day if days else None,
        shown=shown,
        accepted=accepted,
        chats=sum(chats) if chats else None,
        acceptance=Decimal(accepted) / Decimal(shown) if shown else None,
        active_most=max(active, default=None),
        active_mean=Decimal(sum(active)) / len(active) if active else None,
        usd_per_month=incumbent.seats * incumbent.usd_per_seat_month,
    )


@transaction.atomic
def add_incumbent(
    *,
    pilot: Pilot,
    name: str,
    seats: int,
    usd_per_seat_month: Decimal,
    now: datetime,
    actor: Person | None = None,
) -> Incumbent:
    """Note down a tool that the team pays for by the seat. Raises PilotClosed, NameTaken."""
    open_pilot(pilot)
    _check_name(pilot, name)
    incumbent = Incumbent.objects.create(
        pilot=pilot, name=name, seats=seats, usd_per_seat_month=usd_per_seat_month, created_at=now
    )
    detail = {"incumbent": name, "seats": seats, "usd_per_seat_month": usd_per_seat_month}
    note(pilot, "incumbent added", actor, now, detail)
    return incumbent


@transaction.atomic
def change_incumbent(
    *,
    incumbent: Incumbent,
    name: str,
    seats: int,
    usd_per_seat_month: Decimal,
    now: datetime,
    actor: Person | None = None,
) -> Incumbent:
    """Replace what is known of a tool. Raises PilotClosed, IncumbentRemoved, NameTaken."""
    open_pilot(incumbent.pilot)
    locked = _standing(incumbent)
    if name != locked.name:
        _check_name(locked.pilot, name)
    fields = {"name": name, "seats": seats, "usd_per_seat_month": usd_per_seat_month}
    changed: dict[str, object] = {
        field: [str(getattr(locked, field)), str(value)]
        for field, value in fields.items()
        if getattr(locked, field) != value
    }
    if changed:
        Incumbent.objects.filter(id=locked.id).update(**fields)
        note(locked.pilot, "incumbent changed", actor, now, {"incumbent": name, **changed})
    locked.refresh_from_db()
    return locked


@transaction.atomic
def remove_incumbent(*, incumbent: Incumbent, now: datetime, actor: Person | None = None) -> None:
    """Take a tool out of the pilot; its days stay stored. Raises PilotClosed, IncumbentRemoved,
    InUse.
    """
    open_pilot(incumbent.pilot)
    locked = _standing(incumbent)
    if Plan.objects.filter(baseline=locked).exists():
        raise InUse(locked.name)
    locked.removed_at = now
    locked.save(update_fields=["removed_at"])
    note(locked.pilot, "incumbent removed", actor, now, {"incumbent": locked.name})


@transaction.atomic
def store_days(
    *,
    incumbent: Incumbent,
    days: Iterable[ToolDay],
    source: str,
    now: datetime,
    actor: Person | None = None,
) -> int:
    """Store days, each in place of what was known of it; return how many. Of a day that comes
    twice the last one counts. Raises PilotClosed, IncumbentRemoved.
    """
    open_pilot(incumbent.pilot)
    locked = _standing(incumbent)
    by_day = {each.day: each for each in days}
    fields = ("active_people", "shown", "accepted", "chats")
    IncumbentDay.objects.bulk_create(
        [
            IncumbentDay(
                incumbent=locked,
                day=each.day,
                source=source,
                recorded_at=now,
                **{name: getattr(each, name) for name in fields},
            )
            for each in by_day.values()
        ],
        update_conflicts=True,
        unique_fields=["incumbent", "day"],
        update_fields=[*fields, "source", "recorded_at"],
    )
    if by_day:
        span = f"{min(by_day)} to {max(by_day)}"
        detail = {"incumbent": locked.name, "days": len(by_day), "span": span, "source": source}
        note(locked.pilot, "incumbent days stored", actor, now, detail)
    return len(by_day)


def _standing(incumbent: Incumbent) -> Incumbent:
    locked = Incumbent.objects.select_for_update().get(id=incumbent.id)
    if locked.removed_at is not None:
        raise IncumbentRemoved(locked.name)
    return locked


def _check_name(pilot: Pilot, name: str) -> None:
    if Incumbent.objects.filter(pilot=pilot, name=name, removed_at__isnull=True).exists():
        raise NameTaken(name)
