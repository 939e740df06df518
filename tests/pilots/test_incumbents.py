"""What the team has already: its price, its days, and what they add up to."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.core.periods import Period
from apps.pilots.incumbents import (
    IncumbentRemoved,
    InUse,
    NameTaken,
    ToolDay,
    add_incumbent,
    change_incumbent,
    days_of,
    incumbent_figures,
    remove_incumbent,
    store_days,
)
from apps.pilots.models import Incumbent, Plan
from apps.pilots.trail import PilotClosed
from tests.factories import NOON, make_pilot
from tests.trail import audited

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 16)
DAY = timedelta(days=1)


def copilot(pilot, **fields):
    told = {"name": "Copilot", "seats": 30, "usd_per_seat_month": Decimal(19), "now": NOON}
    return add_incumbent(pilot=pilot, **told | fields)


def stored(incumbent):
    fields = ("day", "active_people", "shown", "accepted", "chats", "source")
    return [tuple(getattr(day, name) for name in fields) for day in days_of(incumbent)]


def store(incumbent, *days, source="csv"):
    return store_days(incumbent=incumbent, days=days, source=source, now=NOON)


def test_incumbent_is_added_changed_and_removed():
    pilot = make_pilot(slug="first")
    incumbent = copilot(pilot)

    with pytest.raises(NameTaken):
        copilot(pilot)
    changed = change_incumbent(
        incumbent=incumbent, name="Copilot", seats=25, usd_per_seat_month=Decimal(39), now=NOON
    )
    assert (changed.seats, changed.usd_per_seat_month) == (25, Decimal(39))
    remove_incumbent(incumbent=incumbent, now=NOON)
    copilot(pilot)

    assert list(pilot.incumbents.filter(removed_at=None).values_list("seats", flat=True)) == [30]
    assert [(action, detail.get("seats")) for action, _, detail in audited()] == [
        ("incumbent added", 30),
        ("incumbent changed", ["30", "25"]),
        ("incumbent removed", None),
        ("incumbent added", 30),
    ]
    for act in (
        lambda: remove_incumbent(incumbent=incumbent, now=NOON),
        lambda: store(incumbent, ToolDay(MONDAY)),
    ):
        with pytest.raises(IncumbentRemoved):
            act()


def test_baseline_of_the_plan_is_not_removed():
    pilot = make_pilot()
    incumbent = copilot(pilot)
    Plan.objects.create(pilot=pilot, decide_by=pilot.ends_on, baseline=incumbent, changed_at=NOON)

    with pytest.raises(InUse):
        remove_incumbent(incumbent=incumbent, now=NOON)

    assert Incumbent.objects.get().removed_at is None


def test_day_that_comes_again_is_replaced():
    incumbent = copilot(make_pilot(slug="first"))
    store(incumbent, ToolDay(MONDAY, 9, 100, 30, 5), ToolDay(MONDAY + DAY, 8))

    twice = (ToolDay(MONDAY, 1, 1, 1, 1), ToolDay(MONDAY, 10, 90, 27))
    count = store(incumbent, *twice, source="copilot")

    assert count == 1
    assert stored(incumbent) == [
        (MONDAY + DAY, 8, None, None, None, "csv"),
        (MONDAY, 10, 90, 27, None, "copilot"),
    ]
    detail = {
        "incumbent": "Copilot",
        "days": 1,
        "span": "2026-11-16 to 2026-11-16",
        "source": "copilot",
    }
    assert audited()[-1] == ("incumbent days stored", "pilot first", detail)


def test_figures_are_those_of_the_days_in_the_period():
    pilot = make_pilot(zone="Europe/Berlin")
    incumbent, silent = copilot(pilot), copilot(pilot, name="Other", seats=0)
    store(
        incumbent,
        ToolDay(MONDAY - DAY, 99, 999, 999, 99),
        ToolDay(MONDAY, 10, 100, 30, 4),
        ToolDay(MONDAY + DAY, 5, 200, 45),
        ToolDay(MONDAY + 2 * DAY, None, 700),  # shown without accepted says nothing of acceptance
        ToolDay(MONDAY + 3 * DAY, 99, 999, 999, 99),
    )
    zone_midnight = datetime(2026, 11, 15, 23, tzinfo=UTC)

    found, none = incumbent_figures(pilot, Period(zone_midnight, zone_midnight + 3 * DAY))

    assert (found.incumbent, found.days, found.first_day, found.last_day) == (
        incumbent,
        3,
        MONDAY,
        MONDAY + 2 * DAY,
    )
    assert (found.shown, found.accepted, found.acceptance) == (300, 75, Decimal("0.25"))
    assert (found.chats, found.active_most, found.active_mean) == (4, 10, Decimal("7.5"))
    assert (found.usd_per_month, found.usd_per_active_month) == (Decimal(570), Decimal(76))
    assert (none.incumbent, none.days, none.acceptance, none.active_mean) == (silent, 0, None, None)
    assert (none.usd_per_month, none.usd_per_active_month, none.chats) == (Decimal(0), None, None)


def test_closed_pilot_takes_no_days():
    pilot = make_pilot()
    incumbent = copilot(pilot)
    pilot.closed_at = NOON
    pilot.save(update_fields=["closed_at"])

    with pytest.raises(PilotClosed):
        store(incumbent, ToolDay(MONDAY))
    with pytest.raises(PilotClosed):
        copilot(pilot, name="Another")
