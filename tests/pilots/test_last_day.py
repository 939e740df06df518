"""Pilots that nobody ends: announced three days before their last day is over, closed with it."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.pilots import tasks
from apps.pilots.closing import announce_closing, close_due
from apps.pilots.last_day import ClosesLater, end_by_itself, ending_pilots
from apps.pilots.models import ClosingLetter, Pilot, PilotEvent
from apps.pilots.plans import change_basics
from tests.factories import NOON, make_candidate, make_enrollment, make_pilot, make_trial, make_user
from tests.trail import audited

pytestmark = pytest.mark.django_db
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
LAST = date(2026, 11, 23)
# In Berlin the last day ends an hour before UTC's.
END = NOON.replace(hour=23) + 5 * DAY


def running(**fields):
    return make_pilot(**{"slug": "first", "ends_on": LAST, "zone": "Europe/Berlin"} | fields)


def ending(pilot):
    return Pilot.objects.values_list("closing_announced_at", "closes_at", "closed_at").get(
        id=pilot.id
    )


def seen_to(now):
    return [
        pilot_id for pilot_id in ending_pilots(now=now) if end_by_itself(pilot_id=pilot_id, now=now)
    ]


def letters():
    return sorted(ClosingLetter.objects.values_list("recipient__email", "kind", "closes_at"))


def events():
    return list(PilotEvent.objects.order_by("id").values_list("text", "at", "actor"))


def moved(pilot, ends_on, now=END - DAY, **fields):
    told = {name: getattr(pilot, name) for name in ("name", "starts_on", "zone", "budget_usd")}
    return change_basics(pilot=pilot, now=now, **told | {"ends_on": ends_on} | fields)


def test_closing_is_announced_three_days_before_the_last_day_is_over_and_comes():
    pilot = running()
    make_enrollment(pilot, make_user(email="in@example.com").person)
    make_user(Role.LEAD, email="lead@example.com")
    make_user(Role.ADMIN, email="admin@example.com")
    make_user(Role.VIEWER)

    assert seen_to(END - 3 * DAY - SECOND) == []
    assert seen_to(END - 3 * DAY) == [pilot.id]
    assert seen_to(END - 3 * DAY + SECOND) == []

    assert ending(pilot) == (END - 3 * DAY, END, None)
    told = ["admin@example.com", "in@example.com", "lead@example.com"]
    assert letters() == [(each, "announced", END) for each in told]
    text = "Closing announced for 24 November 2026, 00:00 Europe/Berlin"
    assert events() == [(text, END - 3 * DAY, None)]
    detail = {"closes_at": "2026-11-23 23:00:00+00:00", "afterwards": "gone"}
    assert audited() == [("closing announced", "pilot first", detail)]
    assert close_due(pilot_id=pilot.id, now=END + 40 * SECOND) is True
    assert ending(pilot)[2] == END


def test_what_was_chosen_for_afterwards_stays():
    pilot = running(after_close="winner", after_candidate=make_candidate())

    seen_to(END - DAY)

    pilot.refresh_from_db()
    assert (pilot.closes_at, pilot.after_close) == (END, "winner")


@pytest.mark.parametrize(
    ("late", "told"), [(SECOND, ["in@example.com"]), (3 * DAY, []), (90 * DAY, [])]
)
def test_pilot_whose_last_day_is_over_is_closed_as_of_then(late, told):
    pilot = running()
    make_enrollment(pilot, make_user(email="in@example.com").person)

    assert seen_to(END + late) == [pilot.id]
    assert seen_to(END + late) == []

    assert ending(pilot) == (None, None, END)
    assert letters() == [(each, "closed", END) for each in told]
    assert events() == [("Closed: its last day was over", END, None)]
    detail = {"as": "its last day was over", "afterwards": "gone"}
    assert audited() == [("pilot closed", "pilot first", detail)]


@pytest.mark.parametrize(
    "fields", [{"started_at": None}, {"closed_at": NOON}, {"closes_at": END - DAY}]
)
def test_drafts_and_what_is_seen_to_are_left_alone(fields):
    pilot = running(**fields)
    before = ending(pilot)

    assert ending_pilots(now=END) == []
    assert end_by_itself(pilot_id=pilot.id, now=END) is False
    assert (ending(pilot), events()) == (before, [])


def test_task_sees_to_pilots_that_nobody_ended():
    pilot = make_pilot(starts_on=date(2020, 1, 1), ends_on=date(2020, 1, 2))

    tasks.close_due_pilots()

    assert ending(pilot)[2] == pilot.period.end


def test_a_later_last_day_takes_the_announcement_back_until_its_time_comes():
    pilot = running(after_close="winner", after_candidate=make_candidate())
    make_enrollment(pilot, make_user(email="in@example.com").person)
    seen_to(END - 2 * DAY)
    ClosingLetter.objects.update(claimed_at=NOON, sent_at=NOON)

    moved(pilot, LAST + 7 * DAY)

    assert ending(pilot) == (None, None, None)
    assert letters()[1:] == [("in@example.com", "called_off", END)]
    assert [text for text, _, _ in events()][1:] == [
        "Closing called off",
        "Changed after the start: last day 2026-11-23 → 2026-11-30",
    ]
    assert seen_to(END + 4 * DAY - SECOND) == []
    assert seen_to(END + 4 * DAY) == [pilot.id]
    pilot.refresh_from_db()
    assert (pilot.closes_at, pilot.after_close) == (END + 7 * DAY, "winner")


def test_a_closing_of_ones_own_stays_where_the_last_day_moves_to_later_and_holds_it_back():
    pilot = running()
    make_trial(pilot)
    announce_closing(pilot=pilot, closes_at=NOON + 4 * DAY, now=NOON)

    moved(pilot, LAST + 7 * DAY)
    with pytest.raises(ClosesLater):
        moved(pilot, LAST - 2 * DAY)

    assert ending(pilot)[1] == NOON + 4 * DAY
    assert Pilot.objects.get().ends_on == LAST + 7 * DAY


def test_form_says_that_nothing_is_left_to_close_after_the_last_day(client):
    running(ends_on=date(2098, 12, 31))
    client.force_login(make_user(Role.ADMIN, totp_exempt=True))
    told = {"when": "announced", "closes_at": "2099-01-01T00:01", "after_close": "gone"}

    page = client.post("/setup/pilots/first/close/", told | {"do": "close"})

    assert page.context["form"].errors == {
        "closes_at": [
            "After the last day nothing is answered any more: move that first, under Plan."
        ]
    }


def test_form_proposes_the_end_of_the_last_day_where_that_is_near(client):
    pilot = running(ends_on=timezone.now().date() + DAY)
    client.force_login(make_user(Role.ADMIN, totp_exempt=True))

    form = client.get("/setup/pilots/first/close/").context["form"]

    assert form["closes_at"].initial == pilot.period.end
