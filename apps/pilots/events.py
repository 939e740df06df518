"""A pilot's log: what happened to it, typed or told by the product itself. Charts show it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.periods import Period
from apps.pilots.blindness import is_unblinded
from apps.pilots.models import Pilot, PilotEvent, Rotation, Trial
from apps.pilots.trail import note

SHOWN: Final = 200


class EventToCome(Exception):
    """What has not happened yet is no event."""


class NotTyped(Exception):
    """What the product itself has told stays."""


class NotOfThePilot(Exception):
    """The candidate never was on trial in the pilot."""


def events_of(pilot: Pilot, period: Period) -> list[PilotEvent]:
    """Return what leads see of a period, the oldest first; charts mark these."""
    events = _standing(pilot).filter(at__gte=period.start, at__lt=period.end)
    return list(events.order_by("at", "id"))


def newest_events(pilot: Pilot) -> list[PilotEvent]:
    """Return the newest of the log, newest first, with their candidates and who typed them."""
    return list(_standing(pilot).select_related("actor__user").order_by("-at", "-id")[:SHOWN])


def without_arms(pilot: Pilot, events: Iterable[PilotEvent]) -> list[PilotEvent]:
    """Leave out what names a candidate of a rotation, as its subject or in its words."""
    if is_unblinded(pilot):
        return list(events)
    arms = _arms(pilot)
    ids = {each.id for each in arms}
    names = {name.casefold() for each in arms for name in _names(each)}
    names |= {
        alias.casefold()
        for alias in Trial.objects.filter(pilot=pilot, candidate__in=ids).values_list(
            "alias", flat=True
        )
    }
    return [
        each
        for each in events
        if each.candidate_id not in ids
        and not any(name in each.text.casefold() for name in names if name)
    ]


@transaction.atomic
def add_event(
    *,
    pilot: Pilot,
    text: str,
    at: datetime,
    now: datetime,
    candidate: Candidate | None = None,
    actor: Person | None = None,
) -> PilotEvent:
    """Note down what happened to a pilot, or to one of its candidates; also after its end.

    Raises EventToCome, NotOfThePilot.
    """
    if at > now:
        raise EventToCome(str(at))
    if candidate is not None and not pilot.trials.filter(candidate=candidate).exists():
        raise NotOfThePilot(candidate.slug)
    event = PilotEvent.objects.create(
        pilot=pilot, at=at, text=text, candidate=candidate, actor=actor
    )
    detail = {"event": text, "at": str(at)} | (
        {"candidate": candidate.slug} if candidate is not None else {}
    )
    note(pilot, "event added", actor, now, detail)
    return event


@transaction.atomic
def remove_event(*, event: PilotEvent, now: datetime, actor: Person | None = None) -> None:
    """Take a typed event out of the log; a second time changes nothing. Raises NotTyped."""
    if event.is_automatic:
        raise NotTyped(event.text)
    if PilotEvent.objects.filter(id=event.id, removed_at__isnull=True).update(removed_at=now):
        note(event.pilot, "event removed", actor, now, {"event": event.text})


def _standing(pilot: Pilot) -> QuerySet[PilotEvent]:
    events = PilotEvent.objects.filter(pilot=pilot, removed_at__isnull=True)
    return events.select_related("candidate")


def _arms(pilot: Pilot) -> list[Candidate]:
    rotations = Rotation.objects.filter(pilot=pilot).prefetch_related("eras")
    ids = {
        each
        for rotation in rotations
        for era in rotation.known_eras()
        for each in era.candidate_ids
    }
    return list(Candidate.objects.filter(id__in=ids).select_related("provider").order_by("id"))


def _names(candidate: Candidate) -> tuple[str, ...]:
    """All that a candidate may be called: its provider and its deployment tell it apart, too."""
    model = candidate.upstream_model
    return (
        candidate.name,
        candidate.slug,
        model,
        model.rpartition("/")[2],
        candidate.deployment,
        candidate.provider.name,
        candidate.provider.slug,
    )
