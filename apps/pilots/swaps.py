""" "Not this one today": a developer has another candidate answer until the working day ends.

It is a rejection of whom the day had assigned, and nobody learns who that was, or who comes next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction

from apps.accounts.models import Person
from apps.catalog.models import Candidate, CandidateState
from apps.changes.actions import routes_changed
from apps.core.rotation import DAY_BEGINS, next_working_day, order_of, working_day
from apps.pilots.arms import elsewhere, standing_rotations
from apps.pilots.models import Enrollment, Pilot, Rotation, Swap, Trial, UseRole
from apps.pilots.rotations import RotationEnded
from apps.pilots.trail import open_pilot


class NotInThePilot(Exception):
    """Only people who take part have somebody answer them."""


class SwappedToday(Exception):
    """Once a day is enough to say no; a second one would only pick and choose."""


class NobodyElse(Exception):
    """There is nobody else whose turn it could be today."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who can answer now, and who of them is on trial, so that it may be chosen instead.

    `known` are all that ever were on trial, with their providers.
    """

    active: frozenset[int]
    eligible: frozenset[int]
    known: Mapping[int, Candidate]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a developer may still send away today. It tells nothing about who answers.

    `until` is when the next working day begins and everybody's turn changes.
    """

    alias: str
    role: str
    is_swapped: bool
    can_swap: bool
    until: datetime


ROLE_WORDS: Final = {
    UseRole.COMPLETION: "Completions",
    UseRole.CHAT: "Chat",
    UseRole.EDIT: "Edits",
    UseRole.AGENT: "Agent",
}


def day_ends(day: date, zone: ZoneInfo) -> datetime:
    """Return when a working day ends, in UTC: at the zone's 04:00 of the next one."""
    begins = datetime.combine(next_working_day(day), time.min) + DAY_BEGINS
    return begins.replace(tzinfo=zone).astimezone(UTC)


def choices(*, pilot: Pilot, person: Person, now: datetime) -> list[Choice]:
    """Return the blind aliases of a person who takes part, as the page offers to swap them.

    None where the pilot is not running. At most five queries, however many aliases there are.
    """
    taking_part = Enrollment.objects.filter(pilot=pilot, person=person, left_at__isnull=True)
    if not pilot.is_running(at=now) or not taking_part.exists():
        return []
    day = working_day(now, pilot.zone_info)
    swapped = set(
        Swap.objects.filter(rotation__pilot=pilot, person=person, day=day).values_list(
            "rotation_id", flat=True
        )
    )
    candidates = _candidates(pilot)
    until = day_ends(day, pilot.zone_info)
    return [
        Choice(
            alias=rotation.alias,
            role=ROLE_WORDS[UseRole(rotation.role)],
            is_swapped=rotation.id in swapped,
            can_swap=rotation.id not in swapped and _other(rotation, order, candidates) is not None,
            until=until,
        )
        for rotation in standing_rotations(pilot)
        if (order := _order(rotation, person, day))
    ]


@transaction.atomic
def swap(*, rotation: Rotation, person: Person, now: datetime) -> Swap:
    """Have another candidate answer a person until the working day ends, once a day: the next in
    their order that can answer now. It holds within a second, wherever the gateways are.

    It stands in no audit trail: who said no is as little told as who answered.
    Raises PilotClosed, RotationEnded, NotInThePilot, SwappedToday, NobodyElse.
    """
    pilot = open_pilot(rotation.pilot)
    if Rotation.objects.filter(id=rotation.id, ended_at__isnull=False).exists():
        raise RotationEnded(rotation.alias)
    taking_part = Enrollment.objects.filter(pilot=pilot, person=person, left_at__isnull=True)
    if not pilot.is_running(at=now) or not taking_part.exists():
        raise NotInThePilot(rotation.alias)
    day = working_day(now, pilot.zone_info)
    if Swap.objects.filter(rotation=rotation, person=person, day=day).exists():
        raise SwappedToday(rotation.alias)
    order = _order(rotation, person, day)
    other = _other(rotation, order, _candidates(pilot))
    if other is None:
        raise NobodyElse(rotation.alias)
    made = Swap.objects.create(
        rotation=rotation,
        person=person,
        day=day,
        assigned_id=order[0],
        chosen_id=other,
        at=now,
    )
    routes_changed()
    return made


def _order(rotation: Rotation, person: Person, day: date) -> tuple[int, ...]:
    return order_of(rotation.known_eras(), seed=rotation.seed, person_id=person.id, day=day)


def _candidates(pilot: Pilot) -> Candidates:
    ever = Trial.objects.filter(pilot=pilot).order_by("id").select_related("candidate__provider")
    active = {each.candidate_id for each in ever if each.candidate.state == CandidateState.ACTIVE}
    on_trial = {each.candidate_id for each in ever if each.dropped_at is None}
    known = {each.candidate_id: each.candidate for each in ever}
    return Candidates(frozenset(active), frozenset(on_trial & active), known)


def _other(rotation: Rotation, order: Sequence[int], candidates: Candidates) -> int | None:
    """Return who is next after whoever answers now.

    That is the first in turn that is not paused. One that was dropped today keeps the day it was
    given, but is given no other. Whose code would go elsewhere than people were told is not asked.
    """
    known = (candidates.known[each] for each in order if each in candidates.known)
    away = {each.id for each in elsewhere(rotation, known)}
    here = [each for each in order if each not in away]
    now = next((each for each in here if each in candidates.active), None)
    return next((each for each in here if each != now and each in candidates.eligible), None)
