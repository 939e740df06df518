"""Creating, changing and closing pilots, and who takes part."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import AuditEntry
from apps.pilots.actions import (
    EndsBeforeItStarts,
    NamesWereToStayHidden,
    SlugTaken,
    UnknownZone,
    change_pilot,
    create_pilot,
    enroll,
    issue_key,
    leave,
)
from apps.pilots.closing import close_pilot
from apps.pilots.models import Enrollment, Key, Pilot, Trial
from apps.pilots.trail import PilotClosed
from apps.pilots.trials import add_trial
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_person,
    make_pilot,
    make_trial,
)
from tests.trail import audited, versions

pytestmark = pytest.mark.django_db
SETTINGS = {
    "name": "Second",
    "starts_on": date(2026, 11, 2),
    "ends_on": date(2026, 12, 20),
    "zone": "Europe/Berlin",
    "budget_usd": Decimal(900),
    "rating_scale": "stars",
    "people_named": False,
}


def test_pilot_is_created_with_what_was_said():
    actor = make_person()

    pilot = create_pilot(slug="first", now=NOON, actor=actor, **SETTINGS)

    stored = Pilot.objects.values(*SETTINGS, "slug", "created_at", "closed_at").get(id=pilot.id)
    assert stored == SETTINGS | {"slug": "first", "created_at": NOON, "closed_at": None}
    assert audited() == [
        (
            "pilot created",
            "pilot first",
            {"days": "2026-11-02 to 2026-12-20", "zone": "Europe/Berlin"},
        )
    ]
    assert AuditEntry.objects.get().actor == actor
    assert versions() == 1


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"ends_on": date(2026, 11, 1)}, EndsBeforeItStarts),
        ({"zone": "Europe/Atlantis"}, UnknownZone),
        ({"zone": "../etc/passwd"}, UnknownZone),
        ({"zone": ""}, UnknownZone),
        ({"slug": "taken"}, SlugTaken),
    ],
)
def test_pilot_that_makes_no_sense_is_not_created(fields, problem):
    make_pilot(slug="taken")

    with pytest.raises(problem):
        create_pilot(**{"slug": "first", "now": NOON} | SETTINGS | fields)

    assert (Pilot.objects.count(), versions(), audited()) == (1, 0, [])


def test_pilot_is_changed_and_the_trail_says_from_what_to_what():
    pilot = make_pilot(slug="first", name="First")

    change_pilot(pilot=pilot, now=NOON, **SETTINGS)

    assert Pilot.objects.values(*SETTINGS).get() == SETTINGS
    assert audited() == [
        (
            "pilot changed",
            "pilot first",
            {
                "name": ["First", "Second"],
                "ends_on": ["2026-11-29", "2026-12-20"],
                "zone": ["UTC", "Europe/Berlin"],
                "budget_usd": ["None", "900"],
                "rating_scale": ["thumbs", "stars"],
            },
        )
    ]
    assert versions() == 1


def test_saving_a_pilot_unchanged_publishes_nothing():
    pilot = create_pilot(slug="first", now=NOON, **SETTINGS)

    change_pilot(pilot=pilot, now=NOON, **SETTINGS)

    assert (versions(), len(audited())) == (1, 1)


def test_names_promised_hidden_stay_hidden_once_somebody_has_joined():
    pilot = make_pilot(people_named=False)
    make_enrollment(pilot)

    with pytest.raises(NamesWereToStayHidden):
        change_pilot(pilot=pilot, now=NOON, **SETTINGS | {"people_named": True})

    assert not Pilot.objects.get().people_named


@pytest.mark.parametrize("before", [True, False])
def test_names_may_be_hidden_at_any_time_and_shown_while_nobody_has_joined(before):
    pilot = make_pilot(people_named=before)
    if before:
        make_enrollment(pilot)

    change_pilot(pilot=pilot, now=NOON, **SETTINGS | {"people_named": not before})

    assert Pilot.objects.get().people_named is not before


def test_closed_pilot_changes_no_more():
    pilot = make_pilot(slug="first")
    trial, enrollment = make_trial(pilot), make_enrollment(pilot)
    close_pilot(pilot=pilot, now=NOON, reason="Budget is spent")

    for attempt in (
        lambda: close_pilot(pilot=pilot, now=NOON, reason="Again"),
        lambda: change_pilot(pilot=pilot, now=NOON, **SETTINGS),
        lambda: enroll(pilot=pilot, person=make_person(), now=NOON),
        lambda: add_trial(pilot=pilot, candidate=make_candidate(), alias="new", now=NOON),
        lambda: issue_key(enrollment=enrollment, now=NOON),
    ):
        with pytest.raises(PilotClosed):
            attempt()

    assert Pilot.objects.get().closed_at == NOON
    assert (list(Trial.objects.all()), list(Enrollment.objects.all())) == ([trial], [enrollment])
    assert audited() == [
        (
            "pilot closed",
            "pilot first",
            {"reason": "Budget is spent", "afterwards": "gone"},
        )
    ]


def test_person_is_enrolled_once():
    pilot, person = make_pilot(), make_person()

    first = enroll(pilot=pilot, person=person, now=NOON)
    second = enroll(pilot=pilot, person=person, now=NOON + timedelta(days=1))

    assert first == second
    assert (second.enrolled_at, versions(), len(audited())) == (NOON, 1, 1)


def test_person_who_leaves_loses_the_keys_and_may_come_back_without_them():
    pilot, person = make_pilot(), make_person()
    enrollment = enroll(pilot=pilot, person=person, now=NOON)
    key, _ = issue_key(enrollment=enrollment, now=NOON)
    later = NOON + timedelta(days=1)

    leave(enrollment=enrollment, now=later)
    leave(enrollment=enrollment, now=later + timedelta(days=1))

    enrollment.refresh_from_db()
    assert (enrollment.left_at, Key.objects.get(id=key.id).revoked_at) == (later, later)

    enroll(pilot=pilot, person=person, now=later)

    enrollment.refresh_from_db()
    assert (enrollment.left_at, Key.objects.get(id=key.id).revoked_at) == (None, later)
    assert [action for action, _, _ in audited()] == [
        "person enrolled",
        "key issued",
        "person left",
        "person enrolled",
    ]
    assert versions() == 4
