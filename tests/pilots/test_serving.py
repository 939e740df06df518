"""Who is to serve which role, in a draft."""

import pytest

from apps.pilots.models import Goal, Pilot, Plan, Trial
from apps.pilots.plans import draft_pilot
from apps.pilots.serving import (
    AlreadyStarted,
    NobodyChosen,
    Service,
    TooManyFinalists,
    TooManyScreeners,
    choose_candidates,
)
from tests.factories import NOON, make_candidate, make_pilot
from tests.trail import audited

pytestmark = pytest.mark.django_db


@pytest.fixture
def candidates():
    return [make_candidate(slug=slug) for slug in ("one", "two", "three", "four")]


@pytest.fixture
def pilot(candidates):
    day = NOON.date()
    return draft_pilot(
        slug="p", name="P", starts_on=day, ends_on=day, zone="UTC", budget_usd=None, now=NOON
    )


def choose(pilot, services, *, stage="trial", people=25):
    choose_candidates(pilot=pilot, stage=stage, people_expected=people, services=services, now=NOON)


def ids(candidates, *places):
    return tuple(candidates[place].id for place in places)


def on_trial():
    trials = Trial.objects.filter(dropped_at=None).order_by("candidate__position")
    return list(trials.values_list("candidate__slug", flat=True))


def test_who_serves_is_on_trial_and_others_are_not(pilot, candidates):
    choose(
        pilot,
        {
            "chat": Service(ids(candidates, 1, 2), True),
            "edit": Service(ids(candidates, 3), True),
            "agent": Service((), True),
        },
    )

    assert list(Goal.objects.order_by("role").values_list("role", "measure", "is_blind")) == [
        ("chat", "daily", True),
        ("edit", "daily", False),  # one alone takes no turns
    ]
    assert on_trial() == ["two", "three", "four"]
    assert audited()[-1] == (
        "plan changed",
        "pilot p",
        {"chat": ["blind: one, two", "blind: two, three"], "edit": ["none", "four"]},
    )


def test_role_that_nobody_serves_is_no_part_of_it(pilot, candidates):
    choose(pilot, {"edit": Service(ids(candidates, 0), False)})

    assert list(Goal.objects.values_list("role", flat=True)) == ["edit"]


def test_measure_stays_when_candidates_change(pilot, candidates):
    Goal.objects.update(measure="wins")

    choose(pilot, {"chat": Service(ids(candidates, 2, 3), True)})

    assert Goal.objects.get().measure == "wins"


def test_screening_takes_any_number_of_candidates(pilot, candidates):
    choose(
        pilot, {"chat": Service(ids(candidates, 0, 1, 2, 3), False)}, stage="screening", people=5
    )

    assert (Pilot.objects.get().stage, Plan.objects.get().people_expected) == ("screening", 5)
    assert on_trial() == ["one", "two", "three", "four"]


@pytest.mark.parametrize(
    ("stage", "people", "count", "problem"),
    [
        ("screening", 6, 2, TooManyScreeners),
        ("trial", 25, 4, TooManyFinalists),
        ("trial", 39, 4, TooManyFinalists),
        ("trial", 25, 0, NobodyChosen),
    ],
)
def test_stage_suits_the_numbers(pilot, candidates, stage, people, count, problem):
    services = {"chat": Service(ids(candidates, *range(count)), True)}

    with pytest.raises(problem):
        choose(pilot, services, stage=stage, people=people)

    assert on_trial() == ["one", "two"]


@pytest.mark.parametrize(("people", "count"), [(39, 3), (40, 4)])
def test_many_people_tell_more_apart(pilot, candidates, people, count):
    choose(pilot, {"chat": Service(ids(candidates, *range(count)), True)}, people=people)

    assert len(on_trial()) == count


def test_candidates_of_a_started_pilot_are_not_chosen_anew(candidates):
    with pytest.raises(AlreadyStarted):
        choose(make_pilot(), {"chat": Service(ids(candidates, 0), True)})
