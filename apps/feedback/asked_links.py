"""Links in messages: whoever holds one may answer for a person, without signing in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.signing import BadSignature
from django.urls import reverse

from apps.feedback.links import LASTS, signer
from apps.feedback.models import DailyQuestion
from apps.pilots.models import Enrollment

_ANSWER: Final = "apps.feedback.answer"
_STOP: Final = "apps.feedback.stop"


class BadLink(Exception):
    """The link is none of ours, or too old."""


@dataclass(frozen=True, slots=True)
class AskedLink:
    """What a link in a message opens: one question to one person."""

    question_id: int
    person_id: int


def answer_token(question: DailyQuestion, *, now: datetime) -> str:
    """Return a token that opens one question to one person until LASTS from now."""
    until = int((now + LASTS).timestamp())
    value = {"question": question.id, "person": question.person_id, "until": until}
    return signer(_ANSWER).sign_object(value)


def read_answer_token(token: str, *, now: datetime) -> AskedLink:
    """Return what a token opens. Raises BadLink."""
    value = _opened(token, salt=_ANSWER)
    if now.timestamp() >= value["until"]:
        raise BadLink("The link is too old.")
    return AskedLink(value["question"], value["person"])


def stop_token(enrollment: Enrollment) -> str:
    """Return a token that ends all messages of a pilot to a person. It lasts: mails are kept."""
    return signer(_STOP).sign_object({"enrollment": enrollment.id})


def read_stop_token(token: str) -> int:
    """Return the id of the enrollment. Raises BadLink."""
    return int(_opened(token, salt=_STOP)["enrollment"])


def answer_link(question: DailyQuestion, *, now: datetime) -> str:
    return settings.SITE_URL + reverse("asked", args=[answer_token(question, now=now)])


def stop_link(enrollment: Enrollment) -> str:
    return settings.SITE_URL + reverse("stop_asking", args=[stop_token(enrollment)])


def _opened(token: str, *, salt: str) -> dict[str, Any]:
    try:
        value = signer(salt).unsign_object(token)
    # Beside a bad signature: bytes that are no base64, no UTF-8 or no JSON.
    except (BadSignature, ValueError):
        raise BadLink("The link is none of ours.") from None
    assert isinstance(value, dict), "only we sign"
    return value
