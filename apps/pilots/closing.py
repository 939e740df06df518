"""The end of a pilot: announced three days before, or at once with a reason, and for good.

Whoever closes it chooses what keys are answered then. Results are frozen by whoever keeps them,
once `closed_at` is there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from apps.accounts.models import Person, Role, User
from apps.catalog.models import Candidate, CandidateState
from apps.pilots.happenings import happened
from apps.pilots.models import AfterClose, ClosingLetter, Enrollment, LetterKind, Pilot, Trial
from apps.pilots.trail import note, open_pilot
from apps.pilots.unblinding import NoReason

NOTICE: Final = timedelta(days=3)


class TooSoon(Exception):
    """People are to have three days: to be told, to finish, to rate."""


class AfterTheLastDay(Exception):
    """Keys are answered until the last day ends, so nothing is left to close then."""


class AnnouncedAlready(Exception):
    """Another closing is announced; it has to be called off first."""


class NotAnnounced(Exception):
    """There is no closing to call off."""


class DraftIsNotAnnounced(Exception):
    """Nobody uses a draft, so nobody is to be told: it is closed at once."""


class NobodyAnswers(Exception):
    """Somebody has to be chosen to answer after the end, and be able to."""


class AnswersElsewhere(Exception):
    """Code would go to a class of place that developers were not told of."""


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What keys are answered after the end.

    With `gone`, 410 and the sentence, or the gateway's own where it is empty; otherwise the
    candidate answers for every model name.
    """

    after_close: str = AfterClose.GONE
    candidate: Candidate | None = None
    sentence: str = ""


@transaction.atomic
def announce_closing(
    *,
    pilot: Pilot,
    closes_at: datetime,
    now: datetime,
    after_close: str = AfterClose.GONE,
    after_candidate: Candidate | None = None,
    sentence: str = "",
    actor: Person | None = None,
) -> Pilot:
    """Say that a pilot will close at an instant at least three days ahead and no later than its
    last day ends, and tell everybody.

    Raises PilotClosed, DraftIsNotAnnounced, AnnouncedAlready, AfterTheLastDay, TooSoon,
    NobodyAnswers, AnswersElsewhere.
    """
    locked = open_pilot(pilot)
    if locked.is_draft:
        raise DraftIsNotAnnounced(locked.slug)
    if locked.closing_announced_at is not None:
        raise AnnouncedAlready(locked.slug)
    if closes_at > locked.period.end:
        raise AfterTheLastDay(str(locked.period.end))
    if closes_at < now + NOTICE:
        raise TooSoon(str(now + NOTICE))
    _choose(locked, Afterwards(after_close, after_candidate, sentence))
    announce(locked, closes_at, now=now, actor=actor)
    return locked


def announce(
    locked: Pilot, closes_at: datetime, *, now: datetime, actor: Person | None = None
) -> None:
    """Store and tell a closing that was found to be in order. Without an actor it came by itself,
    so leads and administrators get the letter too.
    """
    locked.closing_announced_at, locked.closes_at = now, closes_at
    locked.save(update_fields=["closing_announced_at", "closes_at", *_AFTERWARDS])
    when = f"{closes_at.astimezone(locked.zone_info):%d %B %Y, %H:%M}"
    happened(locked, f"Closing announced for {when} {locked.zone}", now=now, actor=actor)
    detail = {"closes_at": str(closes_at)} | told_of(locked)
    note(locked, "closing announced", actor, now, detail)
    write_letters(locked, LetterKind.ANNOUNCED, closes_at, now, with_leads=actor is None)


@transaction.atomic
def call_off_closing(*, pilot: Pilot, now: datetime, actor: Person | None = None) -> Pilot:
    """Take an announced closing back, with what was chosen for afterwards, and tell everybody.

    Letters that have not gone out yet never will. Raises PilotClosed, NotAnnounced.
    """
    locked = open_pilot(pilot)
    closes_at = locked.closes_at
    if closes_at is None:
        raise NotAnnounced(locked.slug)
    _choose(locked, Afterwards())
    take_back(locked, closes_at, now=now, actor=actor)
    return locked


def take_back(
    locked: Pilot, closes_at: datetime, *, now: datetime, actor: Person | None = None
) -> None:
    """Store and tell that an announced closing does not come. What was chosen for afterwards is
    stored as the pilot has it.
    """
    locked.closing_announced_at = locked.closes_at = None
    locked.save(update_fields=["closing_announced_at", "closes_at", *_AFTERWARDS])
    happened(locked, "Closing called off", now=now, actor=actor)
    note(locked, "closing called off", actor, now, {"closes_at": str(closes_at)})
    ClosingLetter.objects.filter(
        pilot=locked, kind=LetterKind.ANNOUNCED, claimed_at=None, sent_at=None
    ).delete()
    told = ClosingLetter.objects.filter(
        pilot=locked, kind=LetterKind.ANNOUNCED, closes_at=closes_at
    ).values_list("recipient_id", flat=True)
    write_letters(locked, LetterKind.CALLED_OFF, closes_at, now, only=set(told))


@transaction.atomic
def close_pilot(
    *,
    pilot: Pilot,
    now: datetime,
    reason: str = "",
    afterwards: Afterwards | None = None,
    actor: Person | None = None,
) -> Pilot:
    """End a pilot now. But for a draft, that takes a reason, since everybody was promised three
    days; and everybody is told.

    Raises PilotClosed, NoReason, NobodyAnswers, AnswersElsewhere.
    """
    locked = open_pilot(pilot)
    said = " ".join(reason.split())
    if not said and not locked.is_draft:
        raise NoReason(locked.slug)
    if afterwards is not None:
        _choose(locked, afterwards)
    locked.closed_at = now
    locked.save(update_fields=["closed_at", *_AFTERWARDS])
    happened(locked, f"Closed: {said}" if said else "Closed", now=now, actor=actor)
    detail = ({"reason": said} if said else {}) | told_of(locked)
    note(locked, "pilot closed", actor, now, detail)
    if not locked.is_draft:
        write_letters(locked, LetterKind.CLOSED, now, now)
    return locked


def due_pilots(*, now: datetime) -> list[int]:
    """Return the pilots whose announced closing has come."""
    due = Pilot.objects.filter(closed_at__isnull=True, closes_at__lte=now)
    return list(due.order_by("closes_at", "id").values_list("id", flat=True))


@transaction.atomic
def close_due(*, pilot_id: int, now: datetime) -> bool:
    """Close a pilot as it was announced, at the very instant that was. False where it is not due
    any more: called off, or closed by another worker.
    """
    locked = Pilot.objects.select_for_update().get(id=pilot_id)
    if locked.closed_at is not None or locked.closes_at is None or locked.closes_at > now:
        return False
    locked.closed_at = locked.closes_at
    locked.save(update_fields=["closed_at"])
    happened(locked, "Closed", now=locked.closed_at)
    note(locked, "pilot closed", None, now, {"as": "announced"} | told_of(locked))
    return True


_AFTERWARDS: Final = ("after_close", "after_candidate", "closing_sentence")


def _choose(pilot: Pilot, afterwards: Afterwards) -> None:
    candidate = None if afterwards.after_close == AfterClose.GONE else afterwards.candidate
    if afterwards.after_close != AfterClose.GONE:
        if candidate is None or candidate.state == CandidateState.RETIRED:
            raise NobodyAnswers(pilot.slug)
        if candidate.provider.residence not in residences_told(pilot):
            raise AnswersElsewhere(candidate.slug)
    pilot.after_close, pilot.after_candidate = afterwards.after_close, candidate
    pilot.closing_sentence = " ".join(afterwards.sentence.split())


def residences_told(pilot: Pilot) -> set[str]:
    """Return the classes of place that developers of a pilot were told their code goes to."""
    places = Trial.objects.filter(pilot=pilot).values_list(
        "candidate__provider__residence", flat=True
    )
    return set(places)


def told_of(pilot: Pilot) -> dict[str, str]:
    """Return for the audit trail what keys are answered afterwards."""
    told = {"afterwards": pilot.after_close}
    if pilot.after_candidate is not None:
        told["candidate"] = pilot.after_candidate.slug
    if pilot.closing_sentence:
        told["sentence"] = pilot.closing_sentence
    return told


def write_letters(
    pilot: Pilot,
    kind: str,
    closes_at: datetime,
    now: datetime,
    *,
    only: set[int] | None = None,
    with_leads: bool = False,
) -> None:
    """Leave a letter for everybody who takes part and signs in; a task sends them."""
    readers = Q(
        person__enrollments__in=Enrollment.objects.filter(pilot=pilot, left_at__isnull=True)
    )
    if with_leads:
        readers |= Q(role__in=[Role.LEAD, Role.ADMIN])
    if only is not None:
        readers = Q(id__in=only)
    ClosingLetter.objects.bulk_create(
        [
            ClosingLetter(
                pilot=pilot, recipient=reader, kind=kind, closes_at=closes_at, created_at=now
            )
            for reader in User.objects.filter(readers, is_active=True).distinct().order_by("id")
        ],
        ignore_conflicts=True,
    )
