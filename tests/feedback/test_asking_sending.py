"""That a message goes out once, to whom it may, and what becomes of one that fails."""

import logging
from datetime import timedelta
from decimal import Decimal
from smtplib import SMTPException

import pytest
from django.core import mail

from apps.accounts.departures import delete_person
from apps.feedback.asking import (
    ask_due,
    deliver_question,
    pick_samples,
    problem_of,
)
from apps.feedback.daily import answer, skip
from apps.feedback.models import DailyQuestion
from apps.feedback.preferences import choose
from tests.factories import NOON
from tests.feedback.days_of_use import EVENING, HOUR

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
