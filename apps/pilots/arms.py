"""Who takes turns in a rotation: what stands, and what holds from the next working day."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from apps.catalog.models import Candidate
from apps.core.rotation import Era, next_working_day, working_day
from apps.pilots.models import Pilot, Rotation, RotationEra


class LastArm(Exception):
    """Nobody would be left to answer to the alias; the rotation has to be ended first."""


def standing_rotations(pilot: Pilot) -> list[Rotation]:
    """Return the rotations of a pilot that have not ended, with their eras, in order of start."""
    rotations = Rotation.objects.filter(pilot=pilot, ended_at__isnull=True)
    return list(rotations.prefetch_related("eras").order_by("created_at", "id"))


def newest_era(rotation: Rotation) -> Era:
    """Return who takes turns once all that was decided holds."""
    return rotation.known_eras()[-1]


def era_begins(pilot: Pilot, now: datetime) -> date:
    """Return the working day from which a change of arms holds: today's people keep theirs."""
    return next_working_day(working_day(now, pilot.zone_info))


def elsewhere(rotation: Rotation, arms: Iterable[Candidate]) -> list[Candidate]:
    """Return the arms that send code to another class of place than people were told.

    That is what agreed when the rotation began; where that is not known, or none of them is there
    any more, what the earliest registered one has. Reads each candidate's provider.
    """
    every = sorted(arms, key=lambda each: each.id)
    places = [each.provider.residence for each in every]
    told = rotation.residence if rotation.residence in places else "".join(places[:1])
    return [each for each in every if each.provider.residence != told]


def turns_begun(pilot: Pilot, *, now: datetime) -> bool:
    """Tell whether anybody has had a working day given, in rotations that have ended too."""
    today = working_day(now, pilot.zone_info)
    return RotationEra.objects.filter(rotation__pilot=pilot, first_day__lte=today).exists()


def move_first_turns(pilot: Pilot, *, now: datetime) -> None:
    """Begin the rotations that have not begun with the pilot's first day, which was moved."""
    first_day = working_day(max(now, pilot.period.start), pilot.zone_info)
    if not turns_begun(pilot, now=now):
        # One era each: a change of arms before the first day replaces it.
        eras = RotationEra.objects.filter(rotation__in=standing_rotations(pilot))
        eras.update(first_day=first_day)


def take_turns(
    rotation: Rotation, candidate_ids: Iterable[int], *, pilot: Pilot, now: datetime
) -> date:
    """Have other candidates take turns from the next working day on; return that day.

    What was decided for a later day already is decided anew; eras that have begun never change.
    """
    today = working_day(now, pilot.zone_info)
    upcoming = [era.first_day for era in rotation.known_eras() if era.first_day > today]
    first_day = min(upcoming, default=era_begins(pilot, now))
    RotationEra.objects.update_or_create(
        rotation=rotation,
        first_day=first_day,
        defaults={"candidate_ids": sorted(candidate_ids)},
    )
    return first_day


def drop_arm(candidate: Candidate, *, pilot: Pilot, now: datetime) -> Sequence[tuple[str, date]]:
    """Let a candidate take no more turns; return the aliases it answered to, each with the day.

    It is part of dropping a candidate, which is what is logged. Whom today had given to it keep
    it until the day ends. A rotation that is left with one candidate goes on with that one.
    Raises LastArm.
    """
    changed = []
    for rotation in standing_rotations(pilot):
        arms = newest_era(rotation).candidate_ids
        if candidate.id not in arms:
            continue
        left = [each for each in arms if each != candidate.id]
        if not left:
            raise LastArm(rotation.alias)
        changed.append((rotation.alias, take_turns(rotation, left, pilot=pilot, now=now)))
    return changed
