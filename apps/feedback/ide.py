"""Events of editors become rows: once each, with nothing in them that is code."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.accounts.models import Person
from apps.core.uuid7 import is_uuid7
from apps.feedback.ide_events import AUTOCOMPLETE, CHAT_FEEDBACK, NEXT_EDIT, TOKENS, IdeReport
from apps.feedback.ide_local import local_call
from apps.feedback.ide_names import Meant, roster_of
from apps.feedback.models import IdeEvent
from apps.feedback.queries import call_by_id
from apps.pilots.models import Key, Pilot, RatingScale
from apps.pilots.trail import PilotClosed
from apps.usage.ingest import store_records

# An editor sends its events at once: what is from tomorrow, or from last week, is a clock gone
# wrong.
MOST_AHEAD: Final = timedelta(minutes=5)
MOST_BACK: Final = timedelta(days=7)
# Taken more than ten seconds after it was shown, a completion is told of twice: as left, as taken.
TAKEN_LATE: Final = (AUTOCOMPLETE, NEXT_EDIT)


class NotStarted(Exception):
    """The pilot is a draft; nothing is collected in it yet."""


class Received(StrEnum):
    """What became of an event. A thumb that waits becomes a rating once its call is stored."""

    STORED = "stored"
    KNOWN = "known"
    WAITING = "waiting"
    IGNORED = "ignored"


@transaction.atomic
def store_event(*, report: IdeReport, key: Key, now: datetime) -> Received:
    """Store an event of a key's owner, unless it is known already.

    Raises NotStarted, PilotClosed.
    """
    pilot, person = key.enrollment.pilot, key.enrollment.person
    if pilot.is_draft:
        raise NotStarted(pilot.slug)
    if pilot.closed_at is not None and pilot.closed_at <= now:
        raise PilotClosed(pilot.slug)
    digest = report.digest(now)
    if IdeEvent.objects.filter(person=person, digest=digest).exists():
        _take_late(report, person=person, digest=digest)
        return Received.KNOWN
    at = believed(report.told_at, pilot=pilot, received_at=now)
    roster = roster_of(pilot)
    meant = roster.meant_by(report, person_id=person.id, at=at)
    call_id = None
    if report.completion is not None:
        call_id, meant = _joined(report.completion, meant, pilot=pilot, person=person)
    event = IdeEvent(
        pilot_id=pilot.id,
        person=person,
        key_id=key.id,
        digest=digest,
        kind=report.kind,
        schema=report.schema,
        at=at,
        day=roster.day(at),
        received_at=now,
        alias=meant.alias,
        role=meant.role,
        candidate_id=meant.candidate_id,
        is_blind=meant.is_blind,
        is_local=meant.is_local,
        is_accepted=report.is_accepted,
        language=report.language,
        prompt_tokens=report.prompt_tokens,
        generated_tokens=report.generated_tokens,
        tool=report.tool,
        has_succeeded=report.has_succeeded,
        call_id=call_id,
    )
    # The same event may come twice at once.
    IdeEvent.objects.bulk_create([event], ignore_conflicts=True)
    if report.kind == TOKENS and meant.provider_id is not None:
        store_records([local_call(event, provider_id=meant.provider_id)])
    return Received.WAITING if is_a_rating(event, pilot) else Received.STORED


def believed(told_at: datetime | None, *, pilot: Pilot, received_at: datetime) -> datetime:
    """Return when an event was: what its editor's clock says, within reason."""
    earliest = max(received_at - MOST_BACK, pilot.period.start)
    if told_at is not None and earliest <= told_at <= received_at + MOST_AHEAD:
        return told_at
    return received_at


def is_a_rating(event: IdeEvent, pilot: Pilot) -> bool:
    """Tell whether an event is a thumb that can become a rating of a call."""
    return (
        event.kind == CHAT_FEEDBACK
        and event.is_accepted is not None
        and not event.is_local
        and bool(event.alias)
        and pilot.rating_scale == RatingScale.THUMBS
    )


def _take_late(report: IdeReport, *, person: Person, digest: str) -> None:
    if report.is_accepted and report.kind in TAKEN_LATE:
        left = IdeEvent.objects.filter(person=person, digest=digest, is_accepted=False)
        left.update(is_accepted=True)


def _joined(
    call_id: UUID, meant: Meant, *, pilot: Pilot, person: Person
) -> tuple[UUID | None, Meant]:
    """Return the call that an event names, if it is the person's own, and whom that makes it of."""
    call = call_by_id(call_id) if is_uuid7(call_id) else None
    if call is None or call.person_id != person.id or call.pilot_id != pilot.id:
        return None, meant
    whose = call.assigned_candidate_id or call.candidate_id
    return call.id, Meant(call.alias, whose, meant.role, meant.is_blind)
