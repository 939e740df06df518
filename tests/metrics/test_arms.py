from datetime import date, timedelta

import pytest

from apps.metrics.arms import Arms, in_the_running
from apps.pilots.models import Goal, RotationEra, Trial
from tests.factories import NOON, make_candidate, make_pilot, make_rotation, make_trial
from tests.metrics.made_trials import FIRST, noon

pytestmark = pytest.mark.django_db


def test_arms_are_those_of_the_day():
    pilot, (a, b, c) = make_pilot(), (make_candidate() for _ in range(3))
    rotation = make_rotation(pilot, a, b, c, first_day=FIRST)
    later = FIRST + timedelta(days=7)
    RotationEra.objects.create(rotation=rotation, first_day=later, candidate_ids=[a.id, b.id])

    arms = Arms(pilot, "chat")

    assert bool(arms)
    assert arms.first_day == FIRST
    assert (arms.ever, arms.latest) == ({a.id, b.id, c.id}, {a.id, b.id})
    assert arms.had(FIRST, c.id)
    assert not arms.had(later, c.id)
    assert not arms.had(FIRST - timedelta(days=3), c.id)


def test_nobody_takes_turns_once_a_rotation_has_ended():
    pilot, candidate = make_pilot(), make_candidate()
    make_rotation(pilot, candidate, first_day=FIRST, ended_at=noon(date(2026, 11, 5)))

    arms = Arms(pilot, "chat")

    assert arms.had(date(2026, 11, 4), candidate.id)
    assert not arms.had(date(2026, 11, 5), candidate.id)


def test_another_role_has_no_arms():
    pilot = make_pilot()
    make_rotation(pilot, make_candidate(), role="edit")

    arms = Arms(pilot, "chat")

    assert (bool(arms), arms.first_day, arms.ever, arms.latest) == (False, None, set(), set())


@pytest.mark.parametrize("has_rotation", [True, False])
@pytest.mark.parametrize("names_them", [True, False])
def test_who_is_in_the_running_is_on_trial(has_rotation, names_them):
    pilot, (a, b, gone, unmet) = make_pilot(), (make_candidate() for _ in range(4))
    for candidate in (a, b, gone, unmet):
        make_trial(pilot, candidate)
    Trial.objects.filter(candidate=gone).update(dropped_at=NOON)
    named = [a.id, unmet.id] if names_them else []
    goal = Goal.objects.create(
        pilot=pilot, role="chat", measure="daily", margin="0.3", candidate_ids=named
    )
    if has_rotation:
        make_rotation(pilot, a, b, gone)

    found = in_the_running(pilot, goal, Arms(pilot, "chat"), {b.id, gone.id})

    assert found == ({a.id, b.id} if has_rotation else set(named) or {b.id})
