"""Who is to serve which role in a pilot that has not started."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.pilots.aliases import alias_for
from apps.pilots.models import Goal, Pilot, Stage, Trial, UseRole
from apps.pilots.plan_defaults import (
    FINALISTS_MOST,
    MANY_PEOPLE,
    MEASURES,
    SCREENERS_MOST,
    finalists,
    goal_defaults,
    is_blind_by_default,
)
from apps.pilots.plan_queries import goals_of, plan_of
from apps.pilots.plan_trail import note_plan
from apps.pilots.rotations import disagreements
from apps.pilots.trail import open_pilot
from apps.pilots.trials import add_trial


class AlreadyStarted(Exception):
    """Candidates of a pilot that has started are dropped and added, not chosen anew."""


class NobodyChosen(Exception):
    """No candidate serves any role."""


class TooManyFinalists(Exception):
    """A team of this size cannot tell so many candidates apart."""


class TooManyScreeners(Exception):
    """A screening is for a handful of people."""


@dataclass(frozen=True, slots=True)
class Service:
    """Who is to serve a role, and whether nobody may know who answers."""

    candidate_ids: tuple[int, ...]
    is_blind: bool


def proposed_services(candidates: Sequence[Candidate]) -> dict[str, Service]:
    """Return who would serve chat, and completion where all of them can fill in code."""
    arms = finalists(candidates, UseRole.CHAT)
    roles = [UseRole.CHAT]
    if arms and not disagreements(arms, UseRole.COMPLETION):
        roles.insert(0, UseRole.COMPLETION)
    ids = tuple(each.id for each in arms)
    return {role.value: Service(ids, is_blind_by_default(arms, role)) for role in roles}


@transaction.atomic
def choose_candidates(
    *,
    pilot: Pilot,
    stage: str,
    people_expected: int,
    services: Mapping[str, Service],
    now: datetime,
    actor: Person | None = None,
) -> None:
    """Say how far the choice has come, and who is to serve which role; only of a draft.

    Whoever serves a role is on trial from now on, whoever serves none any more is not.
    Raises PilotClosed, AlreadyStarted, NobodyChosen, TooManyScreeners, TooManyFinalists,
    CandidateRetired, AliasTaken.
    """
    locked = open_pilot(pilot)
    if not locked.is_draft:
        raise AlreadyStarted(locked.slug)
    wanted = {role: service for role, service in services.items() if service.candidate_ids}
    if not wanted:
        raise NobodyChosen(locked.slug)
    check_stage(stage, people_expected, wanted)
    before = {goal.role: _served(goal) for goal in goals_of(locked)}
    Pilot.objects.filter(id=locked.id).update(stage=stage)
    Goal.objects.filter(pilot=locked).exclude(role__in=wanted).delete()
    for role, service in wanted.items():
        set_goal(locked, role, service)
    put_on_trial(locked, wanted, now, actor)
    plan = plan_of(locked)
    told = {"stage": (locked.stage, stage), "people": (plan.people_expected, people_expected)}
    plan.people_expected, plan.changed_at = people_expected, now
    plan.save()
    after = {goal.role: _served(goal) for goal in goals_of(locked)}
    told |= {role: (before.get(role), after.get(role)) for role in {**before, **after}}
    note_plan(locked, told, now, actor)


def check_stage(stage: str, people: int, services: Mapping[str, Service]) -> None:
    """Raise TooManyScreeners or TooManyFinalists where the stage does not suit the numbers."""
    if stage == Stage.SCREENING and people > SCREENERS_MOST:
        raise TooManyScreeners(str(people))
    most = max((len(set(service.candidate_ids)) for service in services.values()), default=0)
    if stage == Stage.TRIAL and people < MANY_PEOPLE and most > FINALISTS_MOST:
        raise TooManyFinalists(str(most))


def set_goal(pilot: Pilot, role: str, service: Service) -> None:
    served = {
        "candidate_ids": sorted(set(service.candidate_ids)),
        "is_blind": service.is_blind and len(set(service.candidate_ids)) > 1,
    }
    measure = MEASURES[role][0]
    Goal.objects.update_or_create(
        pilot=pilot,
        role=role,
        defaults=served,
        create_defaults=served | {"measure": measure} | goal_defaults(measure),
    )


def put_on_trial(
    pilot: Pilot, services: Mapping[str, Service], now: datetime, actor: Person | None
) -> None:
    wanted = {each for service in services.values() for each in service.candidate_ids}
    trials = Trial.objects.filter(pilot=pilot, dropped_at__isnull=True)
    # Nobody has called a draft: what is taken out of it was never on trial.
    trials.exclude(candidate_id__in=wanted).delete()
    add_trials(pilot, wanted, now, actor)


def add_trials(pilot: Pilot, wanted: Set[int], now: datetime, actor: Person | None) -> None:
    """Put on trial what is not yet, each under a name made from its own."""
    trials = Trial.objects.filter(pilot=pilot, dropped_at__isnull=True)
    there = trials.values_list("candidate_id", flat=True)
    candidates = Candidate.objects.filter(id__in=wanted).exclude(id__in=list(there))
    for candidate in candidates.order_by("position"):
        alias = alias_for(candidate)
        add_trial(pilot=pilot, candidate=candidate, alias=alias, now=now, actor=actor)


def _served(goal: Goal) -> str:
    slugs = Candidate.objects.filter(id__in=goal.candidate_ids).order_by("position")
    blind = "blind: " if goal.is_blind else ""
    return blind + ", ".join(slugs.values_list("slug", flat=True))
