"""`/v1/feedback` with `"id": "today"`: the day's question, told, and answered from programs."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.http import JsonResponse
from django.urls import reverse

from apps.accounts.models import Person
from apps.core.rotation import working_day
from apps.feedback import daily
from apps.feedback.daily_use import to_ask
from apps.feedback.due import forget_count
from apps.feedback.json_errors import Refusal
from apps.feedback.letters import question_text
from apps.feedback.models import DailyQuestion
from apps.pilots.models import Pilot

VIA: Final = "api"
NOT_A_SCORE: Final = (
    "The daily question is answered from 1 to 5, whatever answers are rated with; "
    "send a whole number."
)
NOTHING_USED: Final = (
    "You have used nothing today that this pilot asks about; the question comes with your first "
    "finished call."
)
NO_TAGS: Final = "The daily question takes no tags; put the reason into the comment."


def store_today(
    rating: object,
    *,
    tags: list[str] | None,
    comment: str | None,
    pilot: Pilot,
    person: Person,
    now: datetime,
) -> JsonResponse:
    """Answer the day's question, or correct its answer. Raises Refusal, PilotClosed, BadComment."""
    # True is a whole number to Python, and to nobody else.
    if not isinstance(rating, int) or isinstance(rating, bool) or rating not in daily.SCORES:
        raise Refusal(400, "invalid_rating", NOT_A_SCORE, "rating")
    if tags:
        raise Refusal(400, "invalid_tags", NO_TAGS, "tags")
    try:
        with transaction.atomic():
            asked = daily.ask(pilot=pilot, person=person, now=now)
            answered = daily.answer(
                question=asked, pilot=pilot, score=rating, reason=comment, via=VIA, now=now
            )
    except daily.NothingToAsk:
        raise _nothing_used() from None
    forget_count(person, pilot)
    return JsonResponse(_as_told(answered, status="recorded"))


def told_today(*, pilot: Pilot, person: Person, now: datetime) -> JsonResponse:
    """Say what is asked today and what was answered. Asks nobody. Raises Refusal."""
    day = working_day(now, pilot.zone_info)
    question = daily.question_of(pilot=pilot, person=person, day=day)
    if question is None:
        used = to_ask(pilot, day, person=person)
        if used is None:
            raise _nothing_used()
        question = DailyQuestion(day=day, role=used.role)
    about = {
        "question": question_text(pilot),
        "is_open": daily.is_open(day, pilot, now=now),
        "page_url": settings.SITE_URL + reverse("today", args=[pilot.slug]),
    }
    return JsonResponse(_as_told(question, status=_status(question)) | about)


def _status(question: DailyQuestion) -> str:
    if question.score is not None:
        return "answered"
    if question.skipped_at is not None:
        return "skipped"
    return "withdrawn" if question.withdrawn_at is not None else "not_answered"


def _as_told(question: DailyQuestion, *, status: str) -> dict[str, Any]:
    return {
        "id": "today",
        "status": status,
        "rating": question.score,
        "tags": [],
        "comment": question.reason,
        "day": question.day.isoformat(),
        "role": question.role,
    }


def _nothing_used() -> Refusal:
    return Refusal(404, "nothing_used_today", NOTHING_USED, "id")
