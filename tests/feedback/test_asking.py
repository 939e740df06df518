"""Who is asked and when."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.accounts.departures import deactivate, delete_person, erase
from apps.feedback import asking
from apps.feedback.asking import (
    ask_due,
    deliver_sample,
    pick_samples,
)
from apps.feedback.daily import ask
from apps.feedback.models import SampledAnswer
from apps.feedback.preferences import choose
from tests.factories import NOON
from tests.feedback.days_of_use import EVENING, HOUR, WEDNESDAY, asked

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def by(world):
    """Have the person asked in a way."""

    def by(channel, hour=16, **fields):
        return choose(enrollment=world.enrollment, channel=channel, hour=hour, now=NOON, **fields)

    return by


def test_everybody_who_used_something_is_asked_after_their_hour(world):
    other = world.colleague().person
    world.call()
    world.call(person=other, task="edit")
    world.colleague()  # used nothing

    assert ask_due(now=EVENING - 2 * HOUR) == []
    assert asked() == []
    assert ask_due(now=EVENING) == []  # on the page: nothing is sent
    assert ask_due(now=EVENING) == []

    assert asked() == [
        (world.person.id, WEDNESDAY, "chat", world.candidate.id, False, "page"),
        (other.id, WEDNESDAY, "edit", world.candidate.id, False, "page"),
    ]


def test_the_hour_is_ones_own_and_the_pilots_zone(world, by):
    world.pilot.zone = "America/New_York"
    world.pilot.save(update_fields=["zone"])
    world.call()
    by("page", hour=9)

    ask_due(now=NOON + HOUR)  # 08:00 in New York
    assert asked() == []
    ask_due(now=NOON + 2 * HOUR)
    assert len(asked()) == 1


def test_who_wants_not_to_be_asked_is_not(world, by):
    world.call()
    by("off")

    ask_due(now=EVENING)

    assert asked() == []


@pytest.mark.parametrize("how", ["left", "deactivated", "deleted", "erased"])
def test_who_left_is_not_asked(world, how):
    world.call()
    if how == "left":
        world.enrollment.left_at = NOON
        world.enrollment.save(update_fields=["left_at"])
    elif how == "deactivated":
        deactivate(user=world.user, actor=None, now=NOON)
    elif how == "deleted":
        delete_person(user=world.user, actor=None, now=NOON)
    else:
        erase(person=world.person, actor=None, now=NOON)

    ask_due(now=EVENING)

    assert asked() == []


@pytest.mark.parametrize("field", ["started_at", "closed_at"])
def test_drafts_and_closed_pilots_ask_nobody(world, field):
    world.call()
    setattr(world.pilot, field, None if field == "started_at" else NOON)
    world.pilot.save(update_fields=[field])

    ask_due(now=EVENING)

    assert asked() == []


def test_a_weekend_without_calls_is_left_alone(world, by):
    friday, saturday = EVENING + 2 * DAY, EVENING + 3 * DAY
    by("email")
    world.call(at=friday + 2 * HOUR)

    assert ask_due(now=saturday) == []
    assert asked() == []

    world.call(at=saturday - HOUR)
    assert len(ask_due(now=saturday)) == 1
    assert [day for _, day, *_ in asked()] == [date(2026, 11, 20)]


def test_a_sampled_answer_is_sent_to_chat_within_minutes_and_once(world, by, chat):
    by("webhook", webhook=chat.url)
    world.pilot.sample_share = Decimal(1)
    world.pilot.save(update_fields=["sample_share"])
    world.call(at=NOON)

    [sample_id] = pick_samples(now=NOON + MINUTE)
    assert deliver_sample(sample_id=sample_id, now=NOON + MINUTE) is True
    assert deliver_sample(sample_id=sample_id, now=NOON + MINUTE) is False
    assert pick_samples(now=NOON + 2 * MINUTE) == []

    [message] = chat.posts
    assert message["text"].startswith("*How was the answer of 12:00?*\n")
    assert SampledAnswer.objects.values_list("sent_at", "tries", "problem").get() == (
        NOON + MINUTE,
        1,
        "",
    )


def test_a_sampled_answer_is_given_up_after_half_an_hour(world, by, chat):
    by("webhook", webhook=chat.url)
    world.pilot.sample_share = Decimal(1)
    world.pilot.save(update_fields=["sample_share"])
    world.call(at=NOON)
    chat.answers["/services/T0/B0/secret"] = (500, {})
    first = NOON + MINUTE
    [sample_id] = pick_samples(now=first)

    assert deliver_sample(sample_id=sample_id, now=first) is False
    assert pick_samples(now=first + 9 * MINUTE) == []
    assert pick_samples(now=first + 10 * MINUTE) == [sample_id]
    assert pick_samples(now=first + 30 * MINUTE) == []


def test_nobody_is_sent_a_sample_who_chose_otherwise_meanwhile(world, by, chat):
    by("webhook", webhook=chat.url)
    world.pilot.sample_share = Decimal(1)
    world.pilot.save(update_fields=["sample_share"])
    world.call(at=NOON)
    [sample_id] = pick_samples(now=NOON + MINUTE)
    by("page")

    assert deliver_sample(sample_id=sample_id, now=NOON + MINUTE) is False
    assert deliver_sample(sample_id=0, now=NOON + MINUTE) is False
    assert chat.posts == []


def test_asking_on_the_page_first_is_not_asked_again(world, by):
    world.call()
    by("email")
    ask(pilot=world.pilot, person=world.person, now=NOON)

    assert len(ask_due(now=EVENING)) == 1
    assert len(asked()) == 1


@pytest.mark.parametrize("people", [1, 4])
def test_a_pilot_is_asked_in_the_same_queries_but_for_new_questions(
    world, people, django_assert_num_queries
):
    for _ in range(people):
        world.call(person=world.colleague().person)
    ask_due(now=EVENING)

    # pilots; use and turns; who is asked; goals and answers; wishes twice; what is to be sent
    with django_assert_num_queries(10):
        assert asking.ask_due(now=EVENING) == []
