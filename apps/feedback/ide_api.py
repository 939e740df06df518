"""`POST /ingest/continue`: what Continue tells of what was done with answers. Answers are JSON."""

from datetime import datetime
from typing import Final

import redis
from django.core.cache import cache
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.access import allow_anyone
from apps.feedback.authentication import NotAKey, key_of
from apps.feedback.ide import NotStarted, Received, store_event
from apps.feedback.ide_events import BadEvent, read_event
from apps.feedback.json_errors import Refusal, json_errors
from apps.feedback.strict_json import NotJson, read_object
from apps.pilots.models import Key
from apps.pilots.trail import PilotClosed

LARGEST_BODY: Final = 1024 * 1024
# Several events a second, for as long as it may be: more than any editor sends.
PER_MINUTE: Final = 1_200
IGNORED_KEPT_S: Final = 14 * 86_400


@csrf_exempt  # carries a key, no cookie
@allow_anyone  # checks the key itself
@never_cache
@json_errors
def ingest_continue(request: HttpRequest) -> JsonResponse:
    """Keep what an event tells, but code. Names and schemas we keep nothing of are counted."""
    now = timezone.now()
    if request.method != "POST":
        message = "Send an event with POST; nothing is read here."
        raise Refusal(405, "method_not_allowed", message, headers={"allow": "POST"})
    key = _key(request, now=now)
    _count(key, now=now)
    try:
        report = read_event(read_object(_body(request)))
        if report is None:
            _count_ignored(key, now=now)
            return JsonResponse({"status": Received.IGNORED})
        received = store_event(report=report, key=key, now=now)
    except NotJson as problem:
        raise Refusal(400, "invalid_json", str(problem)) from None
    except BadEvent as problem:
        raise Refusal(400, "invalid_event", problem.message, problem.param) from None
    except NotStarted:
        message = "This pilot has not started yet; send its events once it has."
        raise Refusal(409, "pilot_not_started", message) from None
    except PilotClosed:
        message = "This pilot is over; nothing is collected in it any more."
        raise Refusal(410, "pilot_closed", message) from None
    return JsonResponse({"status": received}, status=202 if received == Received.WAITING else 200)


def _key(request: HttpRequest, *, now: datetime) -> Key:
    try:
        return key_of(request, now=now)
    except NotAKey as problem:
        challenge = {"www-authenticate": "Bearer"}
        raise Refusal(401, "invalid_api_key", str(problem), headers=challenge) from None


def _body(request: HttpRequest) -> bytes:
    too_large = Refusal(413, "body_too_large", f"An event has at most {LARGEST_BODY:,} bytes.")
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
    """Allow so many events a minute and key. Without the cache every event is let through."""
    minute, second = divmod(int(now.timestamp()), 60)
    count = _counted(f"ide:{key.id}:{minute}", seconds=120)
    if count is not None and count > PER_MINUTE:
        wait_s = 60 - second
        message = f"At most {PER_MINUTE:,} events a minute; try again in {wait_s} s."
        raise Refusal(429, "rate_limit_exceeded", message, headers={"retry-after": str(wait_s)})


def _count_ignored(key: Key, *, now: datetime) -> None:
    pilot_id = key.enrollment.pilot_id
    _counted(ignored_name(pilot_id, now), seconds=IGNORED_KEPT_S)


def ignored_name(pilot_id: int, at: datetime) -> str:
    """Return where the cache counts a pilot's events of a UTC day that nothing is kept of."""
    return f"ide-ignored:{pilot_id}:{at:%Y-%m-%d}"


def _counted(name: str, *, seconds: int) -> int | None:
    try:
        cache.add(name, 0, timeout=seconds)
        return int(cache.incr(name))
    except (redis.RedisError, ValueError):
        return None
