"""Acceptance: accepted of shown, by person, working day and the candidate that day had assigned."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.feedback.ide_queries import AcceptanceDay, acceptance_days
from apps.feedback.models import IdeEvent
from tests.factories import make_key, make_pilot
from tests.feedback.test_ide import RECEIVED, rotation, store, turn_of

DAY = date(2026, 11, 18)


def completions(world, *outcomes, **fields):
    for accepted in outcomes:
        number = str(IdeEvent.objects.count())
        store(world, "autocomplete", accepted=accepted, completionId=number, **fields)


def test_shown_and_accepted_by_role(world):
    completions(world, True, False, False)
    store(world, "nextEditOutcome", accepted=True, completionId="next")
    store(world, "editOutcome", accepted=True)
    store(world, "editOutcome", accepted=False)

    who = {"person_id": world.person.id, "day": DAY, "candidate_id": world.candidate.id}
    assert acceptance_days(world.pilot) == [
        AcceptanceDay(**who, role="completion", shown=4, accepted=2),
        AcceptanceDay(**who, role="edit", shown=2, accepted=1),
    ]


def test_each_person_day_and_assigned_candidate_is_a_row(world):
    made = rotation(world, "completion", "pilot-complete", arms=2)
    colleague = world.colleague()
    key, _ = make_key(colleague.person.enrollments.get())
    told = {"modelName": "pilot-complete"}
    completions(world, True, **told)
    completions(world, False, **told, key=key)
    # At three in the morning it is still the day before.
    night = datetime(2026, 11, 19, 3, tzinfo=UTC)
    completions(world, False, **told, timestamp=night.isoformat(), now=night)
    noon = night + timedelta(hours=9)
    completions(world, True, True, **told, timestamp=noon.isoformat(), now=noon)

    next_day = date(2026, 11, 19)
    mine, theirs = turn_of(made, world.person), turn_of(made, colleague.person)
    tomorrow = turn_of(made, world.person, next_day)
    assert tomorrow != mine
    assert acceptance_days(world.pilot) == [
        AcceptanceDay(world.person.id, DAY, mine, "completion", 2, 1),
        AcceptanceDay(world.person.id, next_day, tomorrow, "completion", 2, 2),
        AcceptanceDay(colleague.person.id, DAY, theirs, "completion", 1, 0),
    ]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("autocomplete", {"accepted": None}),
        ("autocomplete", {"modelProvider": "ollama"}),
        ("autocomplete", {"modelName": "one of my own"}),
        ("nextEditOutcome", {"aborted": True}),
        ("editInteraction", {}),
        ("chatFeedback", {}),
        ("toolUsage", {}),
        ("tokensGenerated", {}),
    ],
)
def test_what_is_neither_taken_nor_left_or_nobodys_does_not_count(world, name, data):
    store(world, name, **data)

    assert IdeEvent.objects.count() == 1
    assert acceptance_days(world.pilot) == []


def test_what_came_after_the_pilot_does_not_count(world):
    after = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)
    for at in (after, after - timedelta(milliseconds=1)):
        completions(world, True, timestamp=at.isoformat(), now=at)

    assert [row.shown for row in acceptance_days(world.pilot)] == [1]
    assert acceptance_days(make_pilot()) == []


@pytest.mark.parametrize("rows", [1, 3])
def test_it_is_one_query(world, rows, django_assert_num_queries):
    for number in range(rows):
        at = RECEIVED - number * timedelta(days=1)
        completions(world, True, timestamp=at.isoformat())

    with django_assert_num_queries(1):
        assert len(acceptance_days(world.pilot)) == rows
