"""Who takes part in the comparison of a role, and on which days chance decided who answered."""

from collections.abc import Iterable
from datetime import date

from apps.core.rotation import Era, era_of, working_day
from apps.pilots.models import Goal, Pilot, Rotation, Trial


class Arms:
    """The rotations of one role of a pilot, ended ones too. One query."""

    def __init__(self, pilot: Pilot, role: str) -> None:
        rotations = Rotation.objects.filter(pilot=pilot, role=role).order_by("created_at", "id")
        self._eras: list[tuple[tuple[Era, ...], date | None]] = [
            (each.known_eras(), each.ended_at and working_day(each.ended_at, pilot.zone_info))
            for each in rotations.prefetch_related("eras")
        ]

    def __bool__(self) -> bool:
        return any(eras for eras, _ in self._eras)

    @property
    def first_day(self) -> date | None:
        """The first day of any rotation."""
        return min((era.first_day for eras, _ in self._eras for era in eras), default=None)

    @property
    def ever(self) -> set[int]:
        """Everybody who has taken turns."""
        return {each for eras, _ in self._eras for era in eras for each in era.candidate_ids}

    @property
    def latest(self) -> set[int]:
        """Who takes turns by the newest decision."""
        known = [eras for eras, _ in self._eras if eras]
        return set(known[-1][-1].candidate_ids) if known else set()

    def had(self, day: date, candidate_id: int) -> bool:
        """Tell whether a candidate took turns on a day."""
        for eras, end in self._eras:
            era = era_of(eras, day)
            if era is not None and candidate_id in era.candidate_ids and (end is None or day < end):
                return True
        return False


def in_the_running(pilot: Pilot, goal: Goal, arms: Arms, met: Iterable[int]) -> set[int]:
    """Return the candidates that a role is still decided among. One query.

    Those that take turns; without a rotation, those that the goal names, else those that were met
    and are on trial. Who was dropped is out.
    """
    trials = Trial.objects.filter(pilot=pilot, dropped_at__isnull=True)
    on_trial = set(trials.values_list("candidate_id", flat=True))
    return (arms.latest or set(goal.candidate_ids) or set(met)) & on_trial
