"""What waits for a person, and the badge."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.feedback.daily import answer, ask, skip, withdraw
from apps.feedback.due import Due, due, due_count, forget_count
from apps.feedback.models import DailyQuestion
from apps.feedback.preferences import choose
from apps.feedback.pulse import answer_pulse, skip_pulse
from apps.feedback.samples import pick
from tests.factories import NOON, make_person
from tests.feedback.days_of_use import EVENING, HOUR, WEDNESDAY

THURSDAY = EVENING + timedelta(days=1)
LAST_WEEK, THIS_WEEK = date(2026, 11, 9), date(2026, 11, 16)


def of(world, now=EVENING, person=None):
    return due(person or world.person, world.pilot, now)


def test_nothing_waits_before_anything_was_used(world):
    assert of(world) == Due(WEDNESDAY, LAST_WEEK)
    assert of(world).count == 0


def test_the_days_question_waits_from_ones_hour_on(world):
    world.call()

    before, after = of(world, EVENING - 2 * HOUR), of(world)

    assert (before.role, before.is_question_due, before.count) == ("chat", False, 0)
    assert (after.role, after.is_question_due, after.count) == ("chat", True, 1)


def test_looking_asks_nobody(world):
    world.call()

    of(world)

    assert not DailyQuestion.objects.exists()


@pytest.mark.parametrize("how", ["answered", "skipped", "withdrawn"])
def test_what_is_settled_waits_no_more(world, how):
    world.call()
    question = ask(pilot=world.pilot, person=world.person, now=EVENING)
    assert of(world).count == 1
    if how == "skipped":
        skip(question=question, pilot=world.pilot, now=EVENING)
    else:
        answer(question=question, pilot=world.pilot, score=4, via="page", now=EVENING)
    if how == "withdrawn":
        withdraw(question=question, now=EVENING)

    found = of(world)

    assert (found.role, found.question.id, found.count) == ("chat", question.id, 0)


def test_samples_wait_newest_first(world):
    world.pilot.sample_share = Decimal(1)
    calls = [world.call(at=NOON + minute * timedelta(minutes=1)) for minute in range(2)]
    pick(pilot=world.pilot, now=NOON + timedelta(minutes=5))

    found = of(world, NOON + timedelta(minutes=5))

    assert found.samples == (calls[1].id, calls[0].id)
    assert found.count == 2


def test_the_week_waits_from_thursday_to_sunday_and_stays_open_until_wednesday(world):
    world.call(at=EVENING)  # Wednesday

    assert (of(world, EVENING + HOUR).week, of(world, EVENING + HOUR).has_pulse) == (
        LAST_WEEK,
        False,
    )
    thursday, sunday, monday = (
        of(world, THURSDAY + days * timedelta(days=1)) for days in (0, 3, 4)
    )
    assert [
        (found.week, found.has_pulse, found.is_pulse_due) for found in (thursday, sunday, monday)
    ] == [
        (THIS_WEEK, True, True),
        (THIS_WEEK, True, True),
        (THIS_WEEK, True, False),
    ]


@pytest.mark.parametrize("how", ["answered", "skipped"])
def test_a_week_that_is_settled_waits_no_more(world, how):
    world.call(at=EVENING)
    if how == "skipped":
        skip_pulse(pilot=world.pilot, person=world.person, week=THIS_WEEK, now=THURSDAY)
    else:
        answer_pulse(
            pilot=world.pilot,
            person=world.person,
            week=THIS_WEEK,
            scores={"trust": 3},
            via="page",
            now=THURSDAY,
        )

    found = of(world, THURSDAY)

    assert (found.has_pulse, found.is_pulse_due) == (True, False)


def test_nothing_counts_for_who_wants_not_to_be_asked(world):
    world.call()
    choose(enrollment=world.enrollment, channel="off", hour=16, now=NOON)

    found = of(world)

    assert (found.role, found.is_off, found.count) == ("chat", True, 0)


@pytest.mark.parametrize("how", ["left", "closed", "draft", "stranger"])
def test_nothing_waits_without_taking_part(world, how):
    world.call()
    person = world.person
    if how == "left":
        world.enrollment.left_at = NOON
        world.enrollment.save(update_fields=["left_at"])
    elif how == "closed":
        world.pilot.closed_at = NOON
    elif how == "draft":
        world.pilot.started_at = None
    else:
        person = make_person()

    assert of(world, person=person) == Due(WEDNESDAY, LAST_WEEK)


def test_badge_is_counted_anew_once_something_was_answered(
    world, valkey, django_assert_num_queries
):
    world.call()
    assert due_count(world.person, world.pilot, EVENING) == 1
    ask_and_answer = ask(pilot=world.pilot, person=world.person, now=EVENING)
    answer(question=ask_and_answer, pilot=world.pilot, score=4, via="page", now=EVENING)

    with django_assert_num_queries(0):
        assert due_count(world.person, world.pilot, EVENING) == 1
    forget_count(world.person, world.pilot)

    assert due_count(world.person, world.pilot, EVENING) == 0


def test_without_the_cache_there_is_no_badge(world, settings):
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:9/0"}
    }
    world.call()

    assert due_count(world.person, world.pilot, EVENING) == 0
    forget_count(world.person, world.pilot)
