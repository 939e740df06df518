"""Putting candidates on trial in a pilot, and dropping them. Each is one logged act."""

from datetime import datetime

from django.db import transaction

from apps.accounts.models import Person
from apps.catalog.models import Candidate, CandidateState
from apps.pilots.arms import drop_arm
from apps.pilots.blindness import COMPARED, SCREENED
from apps.pilots.happenings import happened
from apps.pilots.models import ALIAS, Pilot, Rotation, Trial
from apps.pilots.trail import note, open_pilot


class AliasMalformed(Exception):
    """The alias breaks a rule for model names that developers send."""


class AliasTaken(Exception):
    """The alias stands for something else in the pilot, or did."""


class AlreadyOnTrial(Exception):
    """The candidate is on trial in the pilot under another alias."""


class CandidateRetired(Exception):
    """The candidate is retired, so it answers no calls."""


@transaction.atomic
def add_trial(
    *, pilot: Pilot, candidate: Candidate, alias: str, now: datetime, actor: Person | None = None
) -> Trial:
    """Put a candidate on trial under the model name that developers send.

    Raises PilotClosed, AliasMalformed, AliasTaken, AlreadyOnTrial, CandidateRetired.
    """
    if not ALIAS.fullmatch(alias):
        raise AliasMalformed(alias)
    # The lock makes two administrators queue, so that what is checked below still holds.
    locked = open_pilot(pilot)
    candidate = Candidate.objects.select_for_update().get(id=candidate.id)
    if candidate.state == CandidateState.RETIRED:
        raise CandidateRetired(candidate.slug)
    running = Trial.objects.filter(pilot=pilot, dropped_at__isnull=True)
    if alias in {COMPARED, SCREENED} or running.filter(alias=alias).exists():
        raise AliasTaken(alias)
    if Rotation.objects.filter(pilot=pilot, alias=alias).exists():
        raise AliasTaken(alias)
    if running.filter(candidate=candidate).exists():
        raise AlreadyOnTrial(candidate.slug)
    trial = Trial.objects.create(pilot=pilot, candidate=candidate, alias=alias, added_at=now)
    if not locked.is_draft:
        text = f"{candidate.name} went on trial"
        happened(pilot, text, now=now, candidate=candidate, actor=actor)
    note(pilot, "trial added", actor, now, {"candidate": candidate.slug, "alias": alias})
    return trial


@transaction.atomic
def drop_trial(*, trial: Trial, now: datetime, actor: Person | None = None) -> None:
    """Take a candidate off trial; calls to its alias are refused from now on.

    Where it takes turns, it takes none from the next working day on; whom today has given to it
    keep it until the day ends. A second time changes nothing. Raises PilotClosed, LastArm.
    """
    pilot = open_pilot(trial.pilot)
    if not Trial.objects.filter(id=trial.id, dropped_at__isnull=True).update(dropped_at=now):
        return
    detail = {"candidate": trial.candidate.slug, "alias": trial.alias}
    text = f"{trial.candidate.name} was dropped"
    if turns := drop_arm(trial.candidate, pilot=pilot, now=now):
        first_day = turns[0][1]
        detail["rotations"] = ", ".join(alias for alias, _ in turns)
        detail["from"] = str(first_day)
        text = f"{text}; it takes no more turns from {first_day:%d %B} on"
    happened(pilot, text, now=now, candidate=trial.candidate, actor=actor)
    note(pilot, "trial dropped", actor, now, detail)
