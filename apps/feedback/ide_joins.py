"""Events that name no call are joined to one: by the person, their key, the alias and the time.

An answer's thumbs become the rating of the newest answer that had ended by then, and are nobody's
if there was none in the hour before. A newer answer that is still on its way would make an older
one look like the newest; so nothing is joined before all that had ended is certainly stored.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import redis
from django.db import transaction
from django.db.models import Q

from apps.core.broker import connect_broker
from apps.feedback.actions import CallNotRateable, NotYourCall, rate
from apps.feedback.ide_events import CHAT_FEEDBACK, TOOL
from apps.feedback.ide_names import ROLE_OF_KIND, Roster, roster_of
from apps.feedback.models import IdeEvent
from apps.feedback.scales import WrongScale
from apps.gateway.contract import GATEWAYS_KEY, STREAM
from apps.pilots.models import Pilot, RatingScale
from apps.pilots.trail import PilotClosed
from apps.usage.models import Call

log = logging.getLogger(__name__)

VIA: Final = "continue"
# Longer ago than this, nobody knows which answer was meant.
WINDOW: Final = timedelta(hours=1)
# Clocks of editors and ours differ a little.
CLOCKS: Final = timedelta(seconds=5)
# How long a call that has ended may take until the stream or a gateway's own word shows it.
SETTLES: Final = timedelta(seconds=3)
# A call may come late, where the broker or the database was away; then it is looked for less often.
SOON: Final = timedelta(minutes=2)
WAITS: Final = timedelta(hours=6)
BATCH: Final = 500
_NEWEST: Final = 20
_TIMEOUT_S: Final = 5.0
# A gateway says every second how it is; what one says that is gone, says nothing.
_SILENT_S: Final = 10.0


def join_events(*, now: datetime, reach: timedelta = SOON) -> int:
    """Join what came in within `reach` and has no call yet; return how many were joined.

    When the broker is away, nothing is known, so nothing is joined.
    """
    pending = _pending(now - reach)
    if not pending:
        return 0
    try:
        until = stored_until(now)
    except redis.RedisError as problem:
        log.warning("events of editors wait for their calls: %s", problem)
        return 0
    ripe = [event for event in pending if event.received_at + SETTLES <= until]
    pilots = Pilot.objects.in_bulk({event.pilot_id for event in ripe})
    joined = 0
    for event in ripe:
        pilot = pilots[event.pilot_id]
        if event.kind == CHAT_FEEDBACK:
            joined += _rate(event.id, pilot)
        else:
            joined += _attribute(event.id, roster_of(pilot))
    return joined


def stored_until(now: datetime) -> datetime:
    """Return the instant up to which every call that had ended is stored.

    Raises redis.RedisError.
    """
    with connect_broker(timeout_s=_TIMEOUT_S) as client:
        waiting: Any = client.xrange(STREAM, count=1)
        told: Any = client.hgetall(GATEWAYS_KEY)
    instants = [now]
    if waiting:
        shipped_ms = int(waiting[0][0].split(b"-")[0])
        instants.append(datetime.fromtimestamp(shipped_ms / 1000, UTC))
    instants += _unshipped_since(map(json.loads, told.values()), now)
    return min(instants)


def _unshipped_since(gateways: Iterable[Mapping[str, Any]], now: datetime) -> Iterable[datetime]:
    for gateway in gateways:
        age_s, said_s = gateway["oldest_age_s"], gateway["at"]
        if age_s is not None and now.timestamp() - said_s <= _SILENT_S:
            yield datetime.fromtimestamp(said_s - age_s, UTC)


def _pending(since: datetime) -> list[IdeEvent]:
    """The oldest first: a thumb that was turned round counts as it was left."""
    thumbs = Pilot.objects.filter(rating_scale=RatingScale.THUMBS, closed_at__isnull=True)
    waiting = Q(
        ~Q(alias=""),
        kind=CHAT_FEEDBACK,
        is_accepted__isnull=False,
        pilot_id__in=thumbs.values("id"),
    ) | Q(kind=TOOL)
    found = IdeEvent.objects.filter(
        waiting,
        # As the index has it, which is made for just this.
        kind__in=[CHAT_FEEDBACK, TOOL],
        call_id__isnull=True,
        is_local=False,
        received_at__gt=since,
    )
    return list(found.order_by("at", "id")[:BATCH])


@transaction.atomic
def _rate(event_id: int, pilot: Pilot) -> bool:
    event = _locked(event_id)
    if event is None:
        return False
    call = _call_before(event, Q(rateable=True, alias=event.alias))
    if call is None:
        return False
    try:
        rate(
            call=call,
            person=event.person,
            score=int(bool(event.is_accepted)),
            scale=RatingScale.THUMBS,
            via=VIA,
            # What is said on a page meanwhile is newer, and stands.
            now=min(event.at, event.received_at),
        )
    except (NotYourCall, CallNotRateable, PilotClosed, WrongScale):
        return False
    event.call_id = call.id
    event.save(update_fields=["call_id"])
    return True


@transaction.atomic
def _attribute(event_id: int, roster: Roster) -> bool:
    """A tool was asked for by the newest answer with tool calls: so much is known of its model."""
    event = _locked(event_id)
    if event is None:
        return False
    call = _call_before(event, Q(tool_calls__gt=0))
    if call is None:
        return False
    meant = roster.of_alias(
        call.alias, person_id=event.person_id, at=call.admitted_at, task=call.task
    )
    role, is_blind = (meant[1], meant[2]) if meant else ("", False)
    event.call_id, event.alias = call.id, call.alias
    event.candidate_id = call.assigned_candidate_id or call.candidate_id
    event.role, event.is_blind = ROLE_OF_KIND.get(event.kind, "") or role, is_blind
    event.save(update_fields=["call_id", "alias", "candidate_id", "role", "is_blind"])
    return True


def _locked(event_id: int) -> IdeEvent | None:
    # Another worker may be at it: the row lock says who joins.
    events = IdeEvent.objects.select_for_update(skip_locked=True, of=("self",))
    return events.select_related("person").filter(id=event_id, call_id__isnull=True).first()


def _call_before(event: IdeEvent, wanted: Q) -> Call | None:
    """Return the newest call of the event's person and key that had ended by the event's time."""
    latest = event.at + CLOCKS
    calls = Call.objects.filter(
        wanted,
        pilot_id=event.pilot_id,
        person_id=event.person_id,
        key_id=event.key_id,
        source="gateway",
        admitted_at__gt=event.at - WINDOW,
        admitted_at__lte=latest,
    ).order_by("-admitted_at", "-id")
    for call in calls[:_NEWEST]:
        if call.admitted_at + timedelta(milliseconds=call.total_ms or 0) <= latest:
            return call
    return None
