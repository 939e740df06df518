"""`/v1/feedback` with `"id": "today"`: the day's question, answered from a shell or a program."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.http import JsonResponse

from apps.accounts.models import Person
from apps.feedback import daily
from apps.feedback.due import forget_count
from apps.feedback.json_errors import Refusal
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
        raise Refusal(404, "nothing_used_today", NOTHING_USED, "id") from None
    forget_count(person, pilot)
    return JsonResponse(
        {
            "id": "today",
            "status": "recorded",
            "rating": answered.score,
            "tags": [],
            "comment": answered.reason,
            "day": answered.day.isoformat(),
            "role": answered.role,
        }
    )
