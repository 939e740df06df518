"""What messages about the daily question say: to a chat, and by mail. Nothing here sends.

They name the role and the day, never who answered on it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from apps.feedback.asked_links import answer_link, stop_link
from apps.feedback.models import DailyQuestion
from apps.pilots.models import Enrollment, Pilot, UseRole

QUESTION: Final = "How was the assistant today?"
ROLES: Final = {
    UseRole.COMPLETION: "completions",
    UseRole.CHAT: "chat",
    UseRole.EDIT: "edits",
    UseRole.AGENT: "agent turns",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: the question, and what else waits. Links are whole addresses."""

    pilot: str
    question: str
    role: str
    day: date
    answer_url: str
    stop_url: str
    today_url: str
    samples: int = 0
    has_pulse: bool = False

    @property
    def also(self) -> str:
        """What else waits, in words; empty where nothing does."""
        count = self.samples
        rate = f"{count} answer{'s' if count > 1 else ''} to rate" if count else ""
        week = "the week’s four questions" if self.has_pulse else ""
        return " and ".join(part for part in (rate, week) if part)


def question_text(pilot: Pilot) -> str:
    return pilot.daily_question or QUESTION


def role_words(role: str) -> str:
    return ROLES[UseRole(role)]


def today_link(pilot: Pilot) -> str:
    return settings.SITE_URL + reverse("today", args=[pilot.slug])


def letter(
    question: DailyQuestion,
    *,
    pilot: Pilot,
    enrollment: Enrollment,
    now: datetime,
    samples: int = 0,
    has_pulse: bool = False,
) -> Letter:
    return Letter(
        pilot=pilot.name,
        question=question_text(pilot),
        role=role_words(question.role),
        day=question.day,
        answer_url=answer_link(question, now=now),
        stop_url=stop_link(enrollment),
        today_url=today_link(pilot),
        samples=samples,
        has_pulse=has_pulse,
    )


def webhook_message(letter: Letter) -> dict[str, Any]:
    """Return the message as Slack's incoming webhooks take it, and others after them."""
    also = f"\nAlso waiting: <{letter.today_url}|{letter.also}>." if letter.also else ""
    asked = (
        f"*{_escaped(letter.question)}*\n"
        f"{_escaped(letter.pilot)} · {letter.role}, {letter.day:%A} {letter.day.day} "
        f"{letter.day:%B} · <{letter.answer_url}|Answer, 1 to 5>{also}"
    )
    return _message(asked, f"<{letter.stop_url}|Ask me no more>")


def sample_message(pilot: Pilot, enrollment: Enrollment, *, clock: str) -> dict[str, Any]:
    """Return the message about one answer that chance picked, of a time such as 14:05."""
    asked = (
        f"*How was the answer of {clock}?*\n{_escaped(pilot.name)} · "
        f"chance picked it · <{today_link(pilot)}|Rate it>"
    )
    return _message(asked, f"<{stop_link(enrollment)}|Ask me no more>")


def trial_message(pilot: Pilot, enrollment: Enrollment) -> dict[str, Any]:
    """Return the message by which a person tests their address."""
    asked = f"*PilotDash reaches you here.*\n{_escaped(pilot.name)} · the daily question will come"
    return _message(asked, f"<{stop_link(enrollment)}|Ask me no more>")


def mail(letter: Letter, *, to: str) -> EmailMultiAlternatives:
    """Return the mail; mail programs offer to end these mails by one click (RFC 8058)."""
    context = {"letter": letter}
    # A name may hold a line break, a header must not.
    subject = " ".join(render_to_string("feedback/email/daily_subject.txt", context).split())
    headers = {
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{letter.stop_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    text = render_to_string("feedback/email/daily.txt", context)
    message = EmailMultiAlternatives(subject, text, to=[to], headers=headers)
    message.attach_alternative(render_to_string("feedback/email/daily.html", context), "text/html")
    return message


def _message(asked: str, small: str) -> dict[str, Any]:
    return {
        # Chats that know no blocks show the text.
        "text": f"{asked}\n{small}",
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": asked}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": small}]},
        ],
    }


def _escaped(text: str) -> str:
    """Keep a text from linking or calling anybody: Slack's three escapes."""
    plain = " ".join(text.split())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
