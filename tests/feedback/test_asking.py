"""Who is asked and when, and that a message goes out once."""

import logging
from datetime import date, timedelta
from decimal import Decimal
from smtplib import SMTPException

import pytest
from django.core import mail

from apps.accounts.departures import deactivate, delete_person, erase
from apps.feedback import asking
from apps.feedback.asking import (
    ask_due,
    deliver_question,
    deliver_sample,
    pick_samples,
    problem_of,
)
from apps.feedback.daily import answer, ask, skip
from apps.feedback.models import DailyQuestion, SampledAnswer
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


def deliver_all(now):
    """Do what the tasks do."""
    return [deliver_question(question_id=each, now=now) for each in ask_due(now=now)]


def tried():
    rows = DailyQuestion.objects.order_by("id")
    return list(rows.values_list("sent_at", "tries", "problem", "channel"))


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


def test_mail_goes_out_once_and_ends_by_one_click(world, by):
    world.call()
    by("email")

    assert deliver_all(EVENING) == [True]
    assert deliver_all(EVENING + 5 * MINUTE) == []

    [message] = mail.outbox
    assert message.to == [world.user.email]
    assert message.subject == "How was the assistant today? (chat, Wednesday)"
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert tried() == [(EVENING, 1, "", "email")]


def test_chat_gets_one_message(world, by, chat):
    world.call()
    by("webhook", webhook=chat.url)

    assert deliver_all(EVENING) == [True]
    assert deliver_all(EVENING + 5 * MINUTE) == []

    [message] = chat.posts
    assert sorted(message) == ["blocks", "text"]
    assert message["text"].startswith(
        f"*How was the assistant today?*\n{world.pilot.name} · chat, Wednesday 18 November · <http"
    )
    assert tried() == [(EVENING, 1, "", "webhook")]


def test_a_message_that_two_workers_have_goes_out_once(world, by):
    world.call()
    by("email")
    [question_id] = ask_due(now=EVENING)

    sent = [deliver_question(question_id=question_id, now=EVENING) for _ in range(2)]

    assert sent == [True, False]
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("done", ["answered", "skipped"])
def test_what_is_settled_is_not_sent(world, by, done):
    world.call()
    by("email")
    [question_id] = ask_due(now=EVENING)
    question = DailyQuestion.objects.get()
    if done == "answered":
        answer(question=question, pilot=world.pilot, score=4, via="page", now=EVENING)
    else:
        skip(question=question, pilot=world.pilot, now=EVENING)

    assert deliver_question(question_id=question_id, now=EVENING) is False
    assert ask_due(now=EVENING) == []
    assert mail.outbox == []


@pytest.mark.parametrize("how", ["left", "deleted", "off", "closed"])
def test_a_message_is_not_sent_to_who_left_meanwhile(world, by, how):
    world.call()
    by("email")
    [question_id] = ask_due(now=EVENING)
    if how == "left":
        world.enrollment.left_at = EVENING
        world.enrollment.save(update_fields=["left_at"])
    elif how == "deleted":
        delete_person(user=world.user, actor=None, now=EVENING)
    elif how == "off":
        by("off")
    else:
        world.pilot.closed_at = EVENING
        world.pilot.save(update_fields=["closed_at"])

    assert deliver_question(question_id=question_id, now=EVENING) is False
    assert deliver_question(question_id=0, now=EVENING) is False
    assert mail.outbox == []


def test_a_failed_message_is_logged_shown_and_tried_again_within_bounds(world, by, chat, caplog):
    world.call()
    by("webhook", webhook=chat.url)
    chat.answers["/services/T0/B0/secret"] = (503, {})

    with caplog.at_level(logging.WARNING, "apps.feedback.asking"):
        assert deliver_all(EVENING) == [False]
    assert [record.getMessage() for record in caplog.records] == [
        "a question by webhook was not sent: It answered with HTTP 503."
    ]
    assert problem_of(world.enrollment) == "It answered with HTTP 503."
    assert deliver_all(EVENING + 5 * MINUTE) == []
    assert deliver_all(EVENING + 10 * MINUTE) == [False]
    assert deliver_all(EVENING + 59 * MINUTE) == []
    assert deliver_all(EVENING + HOUR) == [False]

    assert deliver_all(EVENING + 3 * HOUR) == [False]
    assert deliver_all(EVENING + 9 * HOUR) == []
    assert tried() == [(None, 4, "It answered with HTTP 503.", "webhook")]
    assert len(chat.posts) == 4


def test_a_message_that_arrives_after_all_leaves_no_problem(world, by, chat):
    world.call()
    by("webhook", webhook=chat.url)
    chat.answers["/services/T0/B0/secret"] = (503, {})
    deliver_all(EVENING)
    chat.answers.clear()

    assert deliver_all(EVENING + 10 * MINUTE) == [True]

    assert problem_of(world.enrollment) == ""


def test_a_mail_server_that_refuses_is_a_problem(world, by, monkeypatch):
    def refuse(self):
        raise SMTPException("no")

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", refuse)
    world.call()
    by("email")

    assert deliver_all(EVENING) == [False]
    assert problem_of(world.enrollment) == "The mail server did not take it."


def test_tasks_say_nothing_of_addresses(world, by, chat, caplog):
    world.call()
    by("webhook", webhook=chat.url)
    chat.answers["/services/T0/B0/secret"] = (404, {})

    with caplog.at_level(logging.DEBUG):
        deliver_all(EVENING)

    assert "secret" not in caplog.text
    assert "secret" not in str(tried())


def test_the_mail_tells_what_else_waits(world, by):
    by("email")
    world.pilot.sample_share = Decimal(1)
    world.pilot.save(update_fields=["sample_share"])
    thursday = EVENING + DAY
    world.call(at=thursday - MINUTE)

    assert pick_samples(now=thursday) == []  # mails go out once a day
    deliver_all(thursday)

    [message] = mail.outbox
    assert "Also waiting: 1 answer to rate and the week’s four questions." in message.body


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
