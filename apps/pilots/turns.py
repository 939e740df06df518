"""Who answers whom: what a model name stands for, for a person at an instant."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from apps.core.rotation import assigned, working_day
from apps.pilots.models import Pilot, Rotation, Swap, Trial, UseRole

ROLE_OF_TASK: Final = {
    "autocomplete": UseRole.COMPLETION,
    "chat": UseRole.CHAT,
    "edit": UseRole.EDIT,
    "apply": UseRole.EDIT,
    "agent": UseRole.AGENT,
}


@dataclass(frozen=True, slots=True)
class Turn:
    """`assigned_id` is whom the day had given, and who is analysed; `candidate_id` who answers.

    `role` is None for what is none of a coding assistant's, such as an embedding.
    """

    candidate_id: int
    assigned_id: int
    role: str | None
    is_blind: bool


class Turns:
    """All turns of a pilot, read once: three queries however many are asked for."""

    def __init__(self, pilot: Pilot) -> None:
        self._zone = pilot.zone_info
        rotations = Rotation.objects.filter(pilot=pilot).prefetch_related("eras")
        self._rotations = {each.alias: (each, each.known_eras()) for each in rotations}
        self._trials = dict(
            Trial.objects.filter(pilot=pilot)
            .order_by("added_at", "id")
            .values_list("alias", "candidate_id")
        )
        self._swaps = {
            (swap.rotation_id, swap.person_id, swap.day): swap.chosen_id
            for swap in Swap.objects.filter(rotation__pilot=pilot)
        }

    def day(self, at: datetime) -> date:
        return working_day(at, self._zone)

    def turn(self, alias: str, *, person_id: int, at: datetime, task: str = "") -> Turn | None:
        """Return who answers a person's call to an alias; None for a name that is nobody's."""
        if alias in self._rotations:
            rotation, eras = self._rotations[alias]
            day = self.day(at)
            whose = assigned(eras, seed=rotation.seed, person_id=person_id, day=day)
            if whose is None:
                return None
            chosen = self._swaps.get((rotation.id, person_id, day), whose)
            return Turn(chosen, whose, rotation.role, True)
        if alias in self._trials:
            candidate_id = self._trials[alias]
            return Turn(candidate_id, candidate_id, ROLE_OF_TASK.get(task), False)
        return None
