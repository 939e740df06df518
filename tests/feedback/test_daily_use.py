"""What was used on a day, and which of it is asked about."""

from datetime import timedelta

import pytest

from apps.core.rotation import Era, assigned
from apps.feedback.daily import answer, ask
from apps.feedback.daily_use import Used, has_used, to_ask, used_on
from tests.factories import NOON, make_candidate, make_trial
from tests.feedback.days_of_use import HOUR, WEDNESDAY, make_goal, make_rotation


@pytest.fixture
def used(world):
    """What the person has used on Wednesday."""

    def used():
        found = used_on(world.pilot, WEDNESDAY).get(world.person.id, [])
        assert found == used_on(world.pilot, WEDNESDAY, person=world.person).get(
            world.person.id, []
        )
        return found

    return used


def asked_about(world):
    chosen = to_ask(world.pilot, WEDNESDAY, person=world.person)
    return chosen and chosen.role


def test_finished_calls_of_the_day_are_used(world, used):
    world.call(at=NOON)
    world.call(at=NOON + HOUR)
    world.call(at=NOON + 17 * HOUR, task="edit")  # Thursday, 05:00
    world.call(at=NOON - 8 * HOUR, task="agent")  # 04:00 is Wednesday already

    assert used() == [
        Used("agent", world.candidate.id, False, 1),
        Used("chat", world.candidate.id, False, 2),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "upstream_error", "status": 500},
        {"source": "compare", "key_id": None},
        {"source": "probe"},
        {"source": "ide"},
        {"task": "embed", "endpoint": "embeddings"},
        {"alias": "nobody"},
    ],
)
def test_other_calls_are_not_use(world, used, fields):
    world.call(**fields)

    assert used() == []
    assert asked_about(world) is None


def test_the_one_called_most_stands_for_a_role_that_is_not_blind(world, used):
    other = make_trial(world.pilot, alias="other").candidate
    world.call()
    world.call(alias="other", candidate=other)
    world.call(alias="other", candidate=other)

    assert used() == [Used("chat", other.id, False, 3)]


def test_whom_the_day_assigned_stands_for_a_blind_role(world, used):
    candidates = [make_candidate(), make_candidate()]
    rotation = make_rotation(world.pilot, "edit", candidates)
    era = Era(world.pilot.starts_on, tuple(candidate.id for candidate in candidates))
    whose = assigned([era], seed=rotation.seed, person_id=world.person.id, day=WEDNESDAY)
    # Whoever answered, and whatever its task says: the alias is for edits.
    world.call(alias="pilot-chat", candidate=candidates[0])
    for _ in range(3):
        world.call(task="edit")  # their own choice, and more often

    assert used() == [Used("edit", whose, True, 4)]


def test_roles_with_a_goal_on_the_daily_question_come_first(world):
    make_goal(world.pilot, "chat", "wins")
    make_goal(world.pilot, "agent")
    for _ in range(3):
        world.call()
    world.call(task="agent")

    assert asked_about(world) == "agent"


def test_a_role_without_such_a_goal_is_asked_about_where_nothing_else_was_used(world):
    make_goal(world.pilot, "chat", "wins")
    make_goal(world.pilot, "agent")
    world.call()

    assert asked_about(world) == "chat"


def test_the_role_with_fewest_answers_is_asked_about(world):
    make_goal(world.pilot, "chat")
    make_goal(world.pilot, "edit")
    for day in (1, 2):
        at = NOON - timedelta(days=day)
        world.call(at=at)
        answer(
            question=ask(pilot=world.pilot, person=world.person, now=at),
            pilot=world.pilot,
            score=4,
            via="page",
            now=at,
        )
    for _ in range(5):
        world.call()
    world.call(task="edit")

    assert asked_about(world) == "edit"


def test_of_equal_roles_the_one_used_most_is_asked_about(world):
    world.call()
    world.call(task="edit")
    world.call(task="edit")

    assert asked_about(world) == "edit"


def test_completions_are_asked_about_only_where_the_pilot_has_no_other_goal(world):
    for _ in range(9):
        world.call(task="autocomplete", rateable=False)
    assert asked_about(world) is None

    make_goal(world.pilot, "completion", "acceptance")
    assert asked_about(world) == "completion"

    make_goal(world.pilot, "agent")
    assert asked_about(world) is None


def test_use_is_ones_own_and_of_the_pilot(world, used):
    world.call(person=world.colleague().person)

    assert used() == []
    assert has_used(world.pilot, world.person, since=NOON, until=NOON + HOUR) is False
    world.call()
    assert has_used(world.pilot, world.person, since=NOON, until=NOON + HOUR) is True
    assert has_used(world.pilot, world.person, since=NOON - HOUR, until=NOON) is False


@pytest.mark.parametrize("people", [1, 3])
def test_a_pilot_is_asked_for_in_the_same_queries(world, people, django_assert_num_queries):
    for _ in range(people):
        world.call(person=world.colleague().person)

    with django_assert_num_queries(4):  # calls; rotations, trials, swaps
        assert len(used_on(world.pilot, WEDNESDAY)) == people
