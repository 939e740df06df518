"""Setting and removing limits, and what the database refuses."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError

from apps.pilots.actions import change_pilot, create_pilot
from apps.pilots.limits import (
    Allowance,
    LimitsNothing,
    NotOfThisPilot,
    remove_limit,
    set_limit,
)
from apps.pilots.models import Limit, Pilot
from apps.pilots.trail import PilotClosed
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_key,
    make_limit,
    make_person,
    make_pilot,
    make_trial,
)
from tests.trail import audited, versions

pytestmark = pytest.mark.django_db
AMOUNTS = ("requests_per_minute", "tokens_per_minute", "at_once", "usd", "period", "is_hard")
HOUR = timedelta(hours=1)


def test_each_key_of_a_new_pilot_has_a_generous_limit():
    pilot = create_pilot(slug="p", name="P", starts_on=NOON.date(), ends_on=NOON.date(), now=NOON)

    assert list(Limit.objects.values_list("pilot", "scope", *AMOUNTS)) == [
        (pilot.id, "key", 6_000, 10_000_000, 10, None, "month", True)
    ]


def test_limit_is_set_replaced_as_a_whole_and_removed():
    pilot, actor = make_pilot(slug="p"), make_person()
    by = {"pilot": pilot, "scope": "person", "actor": actor}

    first = set_limit(allowance=Allowance(at_once=3, usd=Decimal(5)), now=NOON, **by)
    second = set_limit(allowance=Allowance(tokens_per_minute=9), now=NOON + HOUR, **by)

    assert first.id == second.id
    assert Limit.objects.values_list(*AMOUNTS, "created_at", "changed_at").get() == (
        *(None, 9, None, None, "month", True),
        *(NOON, NOON + HOUR),
    )
    remove_limit(limit=second, now=NOON, actor=actor)
    remove_limit(limit=second, now=NOON, actor=actor)
    assert audited() == [
        (
            "limit set",
            "pilot p",
            {"for": "each person", "at_once": 3}
            | {"usd": "5.000000000000", "period": "month", "is_hard": True},
        ),
        ("limit set", "pilot p", {"for": "each person", "tokens_per_minute": 9}),
        ("limit removed", "pilot p", {"for": "each person"}),
    ]
    assert (Limit.objects.count(), versions()) == (0, 3)


def test_limit_set_again_as_it_is_publishes_nothing():
    pilot = make_pilot()
    for _ in range(2):
        set_limit(pilot=pilot, scope="pilot", allowance=Allowance(usd=Decimal("1.5")), now=NOON)

    assert (len(audited()), versions()) == (1, 1)


def test_exceptions_stand_beside_the_general_limit():
    pilot = make_pilot()
    enrollment = make_enrollment(pilot)
    key, _ = make_key(enrollment)
    candidate = make_trial(pilot).candidate
    few = Allowance(at_once=1)

    for scope, subject in (
        ("key", None),
        ("key", key),
        ("person", None),
        ("person", enrollment),
        ("candidate", None),
        ("candidate", candidate),
        ("pilot", None),
    ):
        set_limit(pilot=pilot, scope=scope, subject=subject, allowance=few, now=NOON)

    rows = Limit.objects.order_by("id").values_list("scope", "key", "enrollment", "candidate")
    assert list(rows) == [
        ("key", None, None, None),
        ("key", key.id, None, None),
        ("person", None, None, None),
        ("person", None, enrollment.id, None),
        ("candidate", None, None, None),
        ("candidate", None, None, candidate.id),
        ("pilot", None, None, None),
    ]
    names = [detail["for"] for _, _, detail in audited()]
    assert names[1::2] == [
        f"key {key.hint}",
        f"person {enrollment.person}",
        f"candidate {candidate.slug}",
    ]


@pytest.mark.parametrize("scope", ["key", "person", "candidate", "pilot"])
def test_limit_of_what_does_not_take_part_is_refused(scope):
    pilot, elsewhere = make_pilot(), make_pilot()
    enrollment = make_enrollment(elsewhere)
    key, _ = make_key(enrollment)

    for subject in (key, enrollment, make_trial(elsewhere).candidate, make_candidate()):
        with pytest.raises(NotOfThisPilot):
            set_limit(
                pilot=pilot, scope=scope, subject=subject, allowance=Allowance(at_once=1), now=NOON
            )


def test_limit_that_says_nothing_and_limits_of_a_closed_pilot_are_refused():
    pilot, closed = make_pilot(), make_pilot(closed_at=NOON)
    limit = make_limit(closed, "key", at_once=1)

    with pytest.raises(LimitsNothing):
        set_limit(pilot=pilot, scope="key", allowance=Allowance(), now=NOON)
    with pytest.raises(PilotClosed):
        set_limit(pilot=closed, scope="key", allowance=Allowance(at_once=1), now=NOON)
    with pytest.raises(PilotClosed):
        remove_limit(limit=limit, now=NOON)


def test_money_is_counted_anew_only_where_it_was_not_counted_without_a_gap():
    pilot = make_pilot()
    key, _ = make_key(make_enrollment(pilot))
    told = {"pilot": pilot, "scope": "key"}
    since = []

    def note(hours, usd, *, own=False, period="month", **more):
        allowance = Allowance(usd=usd, period=period, **more)
        subject = key if own else None
        set_limit(allowance=allowance, subject=subject, now=NOON + hours * HOUR, **told)
        moments = Limit.objects.order_by("id").values_list("money_since", flat=True)
        since.append([(at - NOON) // HOUR if at else None for at in moments])

    note(1, Decimal(5))
    note(2, Decimal(6))  # another amount of what is counted already
    note(3, Decimal(6), at_once=1, is_hard=False)
    note(4, Decimal(6), period="day")
    note(5, Decimal(1), own=True)  # from now on the key is not counted there
    note(6, None, own=True, at_once=2)  # and now it is again
    note(7, Decimal(1), own=True)
    remove_limit(limit=Limit.objects.get(key=key), now=NOON + 8 * HOUR)

    assert since == [[1], [1], [1], [4], [5, 5], [6, None], [7, 7]]
    assert Limit.objects.get().money_since == NOON + 8 * HOUR


def test_budget_is_counted_anew_when_it_is_set_or_counts_again():
    pilot = make_pilot(budget_usd=5)
    fields = ("name", "starts_on", "ends_on", "zone", "rating_scale", "people_named")
    told = {name: getattr(pilot, name) for name in fields}
    since = []

    def look():
        since.append(Pilot.objects.get().budget_since)

    change_pilot(pilot=pilot, now=NOON, budget_usd=5, **told)
    look()
    change_pilot(pilot=pilot, now=NOON, budget_usd=6, **told)
    look()
    limit = set_limit(
        pilot=pilot, scope="pilot", allowance=Allowance(usd=Decimal(1)), now=NOON + HOUR
    )
    remove_limit(limit=limit, now=NOON + 2 * HOUR)
    look()

    assert since == [None, NOON, NOON + 2 * HOUR]


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"scope": "team"}, "limit_scope_says_whose_it_is"),
        ({"period": "year"}, "limit_period_is_known"),
        ({"at_once": None}, "limit_limits_something"),
        ({"at_once": 0}, "limit_leaves_something"),
        ({"usd": Decimal(0)}, "limit_leaves_something"),
        ({"usd": 1, "money_since": None}, "limit_money_is_counted_since_a_moment"),
    ],
)
def test_limit_constraints(fields, constraint):
    told = {"scope": "key", "at_once": 1} | fields

    with pytest.raises(IntegrityError, match=constraint):
        make_limit(make_pilot(), **told)


@pytest.mark.parametrize("scope", ["key", "person", "candidate", "pilot"])
@pytest.mark.parametrize("subject", ["key", "enrollment", "candidate"])
def test_scope_says_which_subject_may_stand_there(scope, subject):
    pilot = make_pilot()
    enrollment = make_enrollment(pilot)
    subjects = {
        "key": make_key(enrollment)[0],
        "enrollment": enrollment,
        "candidate": make_candidate(),
    }
    fields = {subject: subjects[subject], "at_once": 1}

    if (scope, subject) in {
        ("key", "key"),
        ("person", "enrollment"),
        ("candidate", "candidate"),
    }:
        make_limit(pilot, scope, **fields)
        with pytest.raises(IntegrityError, match=f"limit_once_per_{subject}"):
            make_limit(pilot, scope, **fields)
    else:
        with pytest.raises(IntegrityError, match="limit_scope_says_whose_it_is"):
            make_limit(pilot, scope, **fields)


def test_general_limit_stands_once_per_scope():
    pilot = make_pilot()
    make_limit(pilot, "key", at_once=1)
    make_limit(pilot, "person", at_once=1)
    make_limit(make_pilot(), "key", at_once=1)

    with pytest.raises(IntegrityError, match="limit_one_for_all_of_a_scope"):
        make_limit(pilot, "key", at_once=1)
