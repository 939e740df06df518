"""`/v1/feedback`: ratings from editors and programs, by key. Every answer is JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.access import allow_anyone
from apps.accounts.models import Person
from apps.feedback import queries
from apps.feedback.actions import CallNotRateable, NotYourCall, rate
from apps.feedback.api_reading import LAST, TODAY, UNKNOWN_ID, told
from apps.feedback.authentication import NotAKey, key_of
from apps.feedback.ids import call_id_of
from apps.feedback.json_errors import Refusal, json_errors
from apps.feedback.models import Rating, WaitingRating
from apps.feedback.pace import PER_MINUTE, seconds_to_wait
from apps.feedback.scales import NotARating, WrongScale, rating_of, score_of
from apps.feedback.today_api import store_today
from apps.feedback.waiting import TooManyWaiting, wait_for_call
from apps.feedback.words import BadComment, BadTag
from apps.pilots.models import Key, Pilot
from apps.pilots.trail import PilotClosed

METHODS: Final = ("GET", "POST")
LARGEST_BODY: Final = 16 * 1024
LATER_S: Final = 60
VIA: Final = "api"


@dataclass(frozen=True, slots=True)
class Said:
    """The body of a request, checked as far as that is possible without a pilot."""

    id: str
    rating: object
    tags: list[str] | None
    comment: str | None


@csrf_exempt  # carries a key, no cookie
@allow_anyone  # checks the key itself
@never_cache
@json_errors
def feedback(request: HttpRequest) -> JsonResponse:
    """Rate one call of the key's owner; a rating of an unknown call waits for it for a day."""
    now = timezone.now()
    if request.method not in METHODS:
        message = "Send a rating with POST, or ask with GET what was said of an answer."
        raise Refusal(405, "method_not_allowed", message, headers={"allow": ", ".join(METHODS)})
    try:
        key = key_of(request, now=now)
    except NotAKey as problem:
        challenge = {"www-authenticate": "Bearer"}
        raise Refusal(401, "invalid_api_key", str(problem), headers=challenge) from None
    _count(key, now=now)
    if request.method == "GET":
        return told(request, key, now=now)
    said = _parse(_body(request))
    pilot, person = key.enrollment.pilot, key.enrollment.person
    try:
        return _store(said, pilot=pilot, person=person, now=now)
    except (NotARating, WrongScale) as problem:
        raise Refusal(400, "invalid_rating", str(problem), "rating") from None
    except BadTag as problem:
        raise Refusal(400, "invalid_tags", str(problem), "tags") from None
    except BadComment as problem:
        raise Refusal(400, "invalid_comment", str(problem), "comment") from None
    except CallNotRateable:
        message = "Only finished chat, edit and agent turns are rated, and this call is none."
        raise Refusal(409, "call_not_rateable", message, "id") from None
    except PilotClosed:
        message = "This pilot is closed; its ratings no longer change."
        raise Refusal(409, "pilot_closed", message) from None
    except TooManyWaiting:
        message = "Too many of your ratings wait for calls that have not been seen; check the ids."
        # They wait for a day; a client that waited for that would show nothing meanwhile.
        later = {"retry-after": str(LATER_S)}
        raise Refusal(429, "too_many_waiting", message, "id", later) from None


def _store(said: Said, *, pilot: Pilot, person: Person, now: datetime) -> JsonResponse:
    if said.id == TODAY:
        return store_today(
            said.rating,
            tags=said.tags,
            comment=said.comment,
            pilot=pilot,
            person=person,
            now=now,
        )
    score = score_of(said.rating, pilot.rating_scale)
    if said.id == LAST:
        call = queries.last_rateable(person=person, pilot=pilot)
        if call is None:
            message = "You have no answer to rate in this pilot yet; it appears once it has ended."
            raise Refusal(404, "no_rateable_call", message, "id")
    else:
        call_id = call_id_of(said.id)
        if call_id is None:
            raise Refusal(400, "invalid_id", UNKNOWN_ID, "id")
        call = queries.call_by_id(call_id)
        if call is None:
            waiting = wait_for_call(
                call_id=call_id,
                pilot=pilot,
                person=person,
                score=score,
                tags=said.tags,
                comment=said.comment,
                via=VIA,
                now=now,
            )
            return _stored(202, "waiting", str(call_id), waiting)
    if call.person_id != person.id or call.pilot_id != pilot.id:
        raise _not_found()
    try:
        rating = rate(
            call=call,
            person=person,
            score=score,
            scale=pilot.rating_scale,
            tags=said.tags,
            comment=said.comment,
            via=VIA,
            now=now,
        )
    except NotYourCall:
        raise _not_found() from None
    return _stored(200, "recorded", str(call.id), rating)


def _not_found() -> Refusal:
    return Refusal(404, "call_not_found", "You have no call of this id in this pilot.", "id")


def _parse(raw: bytes) -> Said:
    """Read the body. Raises Refusal."""
    try:
        body: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refusal(400, "invalid_json", "The body is not JSON in UTF-8.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "invalid_json", "The body is a JSON object.")
    if not isinstance(body.get("id"), str):
        message = "Say which answer: its x-request-id, its completion id, last, or today."
        raise Refusal(400, "missing_id", message, "id")
    tags, comment = body.get("tags"), body.get("comment")
    if tags is not None and not (
        isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
    ):
        raise Refusal(400, "invalid_tags", "Tags are a list of texts.", "tags")
    if comment is not None and not isinstance(comment, str):
        raise Refusal(400, "invalid_comment", "A comment is a text.", "comment")
    return Said(body["id"], body.get("rating"), tags, comment)


def _body(request: HttpRequest) -> bytes:
    too_large = Refusal(413, "body_too_large", f"A rating has at most {LARGEST_BODY:,} bytes.")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > LARGEST_BODY:
        raise too_large
    try:
        raw = request.body
    except RequestDataTooBig:
        raise too_large from None
    except UnreadablePostError:
        raise Refusal(400, "invalid_json", "The body did not arrive whole.") from None
    if len(raw) > LARGEST_BODY:
        raise too_large
    return raw


def _count(key: Key, *, now: datetime) -> None:
    """Allow so many requests a minute and key."""
    wait_s = seconds_to_wait(str(key.id), now=now)
    if wait_s:
        message = f"At most {PER_MINUTE} ratings a minute; try again in {wait_s} s."
        raise Refusal(429, "rate_limit_exceeded", message, headers={"retry-after": str(wait_s)})


def _stored(status: int, word: str, call_id: str, rating: Rating | WaitingRating) -> JsonResponse:
    return JsonResponse(
        {
            "id": call_id,
            "status": word,
            "rating": rating_of(rating.score, rating.scale),
            "tags": rating.tags,
            "comment": rating.comment,
        },
        status=status,
    )
