"""Whom the model names of an editor's events stand for."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from apps.changes.models import RoutesVersion
from apps.feedback.ide_events import (
    AUTOCOMPLETE,
    EDIT_OUTCOME,
    NEXT_EDIT,
    IdeReport,
    local_name,
)
from apps.feedback.ide_words import is_local
from apps.pilots.blindness import is_unblinded
from apps.pilots.models import Pilot, Rotation, Trial, UseRole
from apps.pilots.turns import ROLE_OF_TASK, Turns
from apps.usage.titles import named_in

# What an edit is, it is whichever alias was asked for it, a chat's for example.
ROLE_OF_KIND: Final = {
    AUTOCOMPLETE: UseRole.COMPLETION,
    NEXT_EDIT: UseRole.COMPLETION,
    EDIT_OUTCOME: UseRole.EDIT,
    "editInteraction": UseRole.EDIT,
}
# Ollama's way to say that a name is given without a version.
LATEST: Final = ":latest"


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom an event is about. `alias` is empty for a model that is none of the pilot's.

    `candidate_id` is whom the day had assigned. A local model's alias is its own name, and its
    candidate one of the same name; `provider_id` is that candidate's.
    """

    alias: str = ""
    candidate_id: int | None = None
    role: str = ""
    is_blind: bool = False
    is_local: bool = False
    provider_id: int | None = None


class Roster:
    """The models of a pilot by every name that an editor may give them. Six queries."""

    def __init__(self, pilot: Pilot) -> None:
        self._turns = Turns(pilot)
        trials = Trial.objects.filter(pilot=pilot).select_related("candidate")
        self._trials = list(trials.order_by("added_at", "id"))
        self._aliases = {trial.candidate.name: trial.alias for trial in self._trials}
        rotations = Rotation.objects.filter(pilot=pilot).values_list("eras__candidate_ids")
        # As long as nobody may know who takes turns, no name of a local model may tell.
        self._secret = (
            frozenset()
            if is_unblinded(pilot)
            else frozenset(id_ for (ids,) in rotations for id_ in ids or ())
        )

    def day(self, at: datetime) -> date:
        return self._turns.day(at)

    def meant_by(self, report: IdeReport, *, person_id: int, at: datetime) -> Meant:
        """Return whom a person's event stands for at an instant."""
        if is_local(report.provider):
            return self._local(report)
        role = ROLE_OF_KIND.get(report.kind, "")
        for name in report.models:
            for alias in (name, named_in(name), self._aliases.get(named_in(name), "")):
                found = self.of_alias(alias, person_id=person_id, at=at, task=report.task)
                if found is not None:
                    candidate_id, its_role, is_blind = found
                    return Meant(alias, candidate_id, role or its_role, is_blind)
        return Meant(role=role or ROLE_OF_TASK.get(report.task, ""))

    def of_alias(
        self, alias: str, *, person_id: int, at: datetime, task: str
    ) -> tuple[int, str, bool] | None:
        """Return who is analysed for an alias, for which role, and whether it is blind."""
        turn = self._turns.turn(alias, person_id=person_id, at=at, task=task) if alias else None
        return (turn.assigned_id, turn.role or "", turn.is_blind) if turn else None

    def _local(self, report: IdeReport) -> Meant:
        """Local models never rotate: their candidate is the one of the same name, if any."""
        role = ROLE_OF_KIND.get(report.kind, "") or ROLE_OF_TASK.get(report.task, "")
        names = {name.lower().removesuffix(LATEST) for name in report.models}
        for trial in self._trials:
            candidate = trial.candidate
            known = {candidate.upstream_model, candidate.slug, trial.alias}
            if candidate.id not in self._secret and names & {
                name.lower().removesuffix(LATEST) for name in known
            }:
                return Meant(
                    local_name(report),
                    candidate.id,
                    role,
                    is_local=True,
                    provider_id=candidate.provider_id,
                )
        return Meant(local_name(report), None, role, is_local=True)


_rosters: dict[int, tuple[int, Roster]] = {}


def roster_of(pilot: Pilot) -> Roster:
    """Return a pilot's roster: the one made before, as long as nothing has changed. One query then.

    Whatever a roster is made of raises the version of the routes, in the transaction that changes
    it. Swaps do too, but they change nothing here: events are of whom the day had assigned.
    """
    version = RoutesVersion.objects.filter(id=1).values_list("version", flat=True).first() or 0
    known = _rosters.get(pilot.id)
    if known is None or known[0] != version:
        known = _rosters[pilot.id] = (version, Roster(pilot))
    return known[1]
