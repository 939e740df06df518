"""`GET /v1/feedback?id=…`: what has been said of an answer or of today, and where to say it."""

from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, JsonResponse

from apps.accounts.models import Person
from apps.feedback import queries, today_api
from apps.feedback.actions import NOT_RATED
from apps.feedback.ids import call_id_of
from apps.feedback.json_errors import Refusal
from apps.feedback.links import LASTS, make_token, page_url, widget_url
from apps.feedback.models import Rating
from apps.feedback.scales import rating_of
from apps.feedback.words import offered_tags
from apps.pilots.models import Key, Pilot
from apps.usage.models import Call

LAST: Final = "last"
TODAY: Final = "today"
UNKNOWN_ID: Final = "An id is the x-request-id of an answer, its completion id, last, or today."


def told(request: HttpRequest, key: Key, *, now: datetime) -> JsonResponse:
    """Answer with what the key's owner has said of an answer, or of today. Raises Refusal."""
    pilot, person = key.enrollment.pilot, key.enrollment.person
    if request.GET.get("id") == TODAY:
        return today_api.told_today(pilot=pilot, person=person, now=now)
    call = _call(request.GET.get("id", ""), pilot=pilot, person=person)
    if not call.rateable or call.source in NOT_RATED:
        message = "Only finished chat, edit and agent turns are rated, and this call is none."
        raise Refusal(409, "call_not_rateable", message, "id")
    token = make_token(call, now=now)
    return JsonResponse(
        {
            "id": str(call.id),
            "at": call.admitted_at,
            "scale": pilot.rating_scale,
            **_said(Rating.objects.filter(call_id=call.id, person=person).first()),
            "offered_tags": list(offered_tags(pilot.rating_tags)),
            "page_url": page_url(token),
            "widget_url": widget_url(token),
            "token": token,
            "links_expire_at": (now + LASTS).replace(microsecond=0),
        }
    )


def _said(rating: Rating | None) -> dict[str, Any]:
    if rating is None or rating.withdrawn_at is not None:
        status = "not_rated" if rating is None else "withdrawn"
        return {"status": status, "rating": None, "tags": [], "comment": ""}
    return {
        "status": "rated",
        "rating": rating_of(rating.score, rating.scale),
        "tags": rating.tags,
        "comment": rating.comment,
    }


def _call(text: str, *, pilot: Pilot, person: Person) -> Call:
    if text == LAST:
        call = queries.last_rateable(person=person, pilot=pilot)
        if call is None:
            message = "You have no answer to rate in this pilot yet; it appears once it has ended."
            raise Refusal(404, "no_rateable_call", message, "id")
        return call
    call_id = call_id_of(text)
    if call_id is None:
        raise Refusal(400, "invalid_id", UNKNOWN_ID, "id")
    call = queries.call_by_id(call_id)
    if call is None or call.person_id != person.id or call.pilot_id != pilot.id:
        raise Refusal(404, "call_not_found", "You have no call of this id in this pilot.", "id")
    return call
