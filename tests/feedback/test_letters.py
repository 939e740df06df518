"""What messages say, to the byte where others read them."""

from datetime import date

import pytest
from django.core.mail import BadHeaderError

from apps.feedback.asked_links import answer_token, stop_token
from apps.feedback.daily import ask
from apps.feedback.letters import (
    Letter,
    letter,
    mail,
    role_words,
    sample_message,
    trial_message,
    webhook_message,
)
from apps.pilots.models import UseRole
from tests.factories import NOON

LETTER = Letter(
    pilot="Team <!channel> & friends",
    question="How was <it>?",
    role="chat",
    day=date(2026, 11, 18),
    answer_url="https://p.example/asked/a:b/",
    stop_url="https://p.example/asked/c:d/stop/",
    today_url="https://p.example/pilots/team/today/",
)
ASKED = (
    "*How was &lt;it&gt;?*\nTeam &lt;!channel&gt; &amp; friends · chat, Wednesday 18 November · "
    "<https://p.example/asked/a:b/|Answer, 1 to 5>"
)
STOP = "<https://p.example/asked/c:d/stop/|Ask me no more>"


def more(**fields):
    return Letter(**{name: getattr(LETTER, name) for name in LETTER.__slots__} | fields)


def test_chat_gets_text_and_blocks():
    assert webhook_message(LETTER) == {
        "text": f"{ASKED}\n{STOP}",
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": ASKED}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": STOP}]},
        ],
    }


@pytest.mark.parametrize(
    ("fields", "also"),
    [
        ({}, ""),
        ({"samples": 1}, "1 answer to rate"),
        ({"samples": 3}, "3 answers to rate"),
        ({"has_pulse": True}, "the week’s four questions"),
        ({"samples": 2, "has_pulse": True}, "2 answers to rate and the week’s four questions"),
    ],
)
def test_what_else_waits_is_told(fields, also):
    found = more(**fields)

    assert found.also == also
    line = f"\nAlso waiting: <{LETTER.today_url}|{also}>." if also else ""
    assert webhook_message(found)["blocks"][0]["text"]["text"] == ASKED + line


def test_mail_is_text_first_and_ends_by_one_click():
    message = mail(more(samples=1), to="dana@example.com")

    assert message.subject == "How was <it>? (chat, Wednesday)"
    assert message.to == ["dana@example.com"]
    assert message.extra_headers == {
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{LETTER.stop_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert message.body == (
        "How was <it>?\n\n"
        "Team <!channel> & friends: chat, Wednesday 18 November. "
        "Answer from 1 to 5, with a reason if you like:\n\n"
        "https://p.example/asked/a:b/\n\n"
        "Also waiting: 1 answer to rate.\n\n"
        "https://p.example/pilots/team/today/\n\n"
        "The first link answers for you for seven days: do not pass it on. "
        "Opening it stores nothing.\n\n"
        "--\nNo more of these mails: https://p.example/asked/c:d/stop/\n"
    )
    [(html, kind)] = message.alternatives
    assert kind == "text/html"
    assert '<h1 style="margin:0;font-size:20px;line-height:1.3">How was &lt;it&gt;?</h1>' in html
    assert html.count(LETTER.answer_url) == html.count(LETTER.stop_url) == 1


def test_line_breaks_never_reach_a_header():
    message = mail(more(question="How\r\nBcc: x@example.com"), to="dana@example.com")
    assert message.subject == "How Bcc: x@example.com (chat, Wednesday)"

    with pytest.raises(BadHeaderError):
        mail(LETTER, to="dana@example.com\nBcc: x@example.com").message()


def test_letter_names_role_and_day_and_nobody(world):
    world.call()
    question = ask(pilot=world.pilot, person=world.person, now=NOON)

    found = letter(question, pilot=world.pilot, enrollment=world.enrollment, now=NOON)

    assert found == Letter(
        pilot=world.pilot.name,
        question="How was the assistant today?",
        role="chat",
        day=date(2026, 11, 18),
        answer_url=f"http://127.0.0.1:8000/asked/{answer_token(question, now=NOON)}/",
        stop_url=f"http://127.0.0.1:8000/asked/{stop_token(world.enrollment)}/stop/",
        today_url=f"http://127.0.0.1:8000/pilots/{world.pilot.slug}/today/",
    )


def test_question_is_asked_in_the_pilots_own_words(world):
    world.pilot.daily_question = "Helpful?"
    world.call()
    question = ask(pilot=world.pilot, person=world.person, now=NOON)

    found = letter(question, pilot=world.pilot, enrollment=world.enrollment, now=NOON)

    assert found.question == "Helpful?"


def test_sampled_answer_is_named_by_its_time_alone(world):
    stop = f"http://127.0.0.1:8000/asked/{stop_token(world.enrollment)}/stop/"
    today = f"http://127.0.0.1:8000/pilots/{world.pilot.slug}/today/"

    assert sample_message(world.pilot, world.enrollment, clock="14:05")["text"] == (
        f"*How was the answer of 14:05?*\n{world.pilot.name} · chance picked it · "
        f"<{today}|Rate it>\n<{stop}|Ask me no more>"
    )
    assert trial_message(world.pilot, world.enrollment)["text"] == (
        f"*PilotDash reaches you here.*\n{world.pilot.name} · the daily question will come\n"
        f"<{stop}|Ask me no more>"
    )


@pytest.mark.parametrize("role", UseRole.values)
def test_every_role_has_its_word(role):
    assert role_words(role)
