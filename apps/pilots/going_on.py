"""From a screening that runs to the trial of its finalists, in the same pilot and with its keys."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from apps.accounts.models import Person
from apps.pilots.checklist import checklist
from apps.pilots.happenings import happened
from apps.pilots.models import Goal, Pilot, Rotation, Stage, Trial
from apps.pilots.plan_queries import goals_of, plan_of
from apps.pilots.serving import NobodyChosen, Service, add_trials, check_stage, set_goal
from apps.pilots.starting import NotReady, set_beforehand, start_turns
from apps.pilots.trail import note, open_pilot
from apps.pilots.trials import drop_trial


class NotScreening(Exception):
    """Only a screening that has started goes on to a trial."""


def can_go_on(pilot: Pilot) -> bool:
    """Tell whether a pilot is a screening that runs, so that a trial may follow."""
    return pilot.stage == Stage.SCREENING and not pilot.is_draft and pilot.closed_at is None


@transaction.atomic
def go_on_to_trial(
    *,
    pilot: Pilot,
    people_expected: int,
    services: Mapping[str, Service],
    now: datetime,
    actor: Person | None = None,
) -> list[Rotation]:
    """Try the finalists by everybody: whoever serves no role is dropped, each a logged act, and
    what is blind takes turns from today on. Roles that were judged keep their measures.

    Raises PilotClosed, NotScreening, NobodyChosen, TooManyFinalists, NotReady, and what add_trial,
    drop_trial and start_rotation raise.
    """
    locked = open_pilot(pilot)
    if not can_go_on(locked):
        raise NotScreening(locked.slug)
    wanted = {role: service for role, service in services.items() if service.candidate_ids}
    if not wanted:
        raise NobodyChosen(locked.slug)
    check_stage(Stage.TRIAL, people_expected, wanted)
    locked.stage = Stage.TRIAL
    locked.save(update_fields=["stage"])
    plan = plan_of(locked)
    plan.people_expected, plan.changed_at = people_expected, now
    plan.save()
    Goal.objects.filter(pilot=locked).exclude(role__in=wanted).delete()
    for role, service in wanted.items():
        set_goal(locked, role, service)
    _take_finalists(locked, wanted, now, actor)
    if blockers := [each for each in checklist(locked, now=now) if each.is_blocker]:
        raise NotReady(blockers)
    goals = goals_of(locked)
    note(locked, "trial follows screening", actor, now, set_beforehand(locked, plan, goals))
    text = f"Trial followed the screening: to {locked.ends_on}, decided by {plan.decide_by}"
    happened(locked, text, now=now, actor=actor)
    return start_turns(locked, goals, now, actor)


def _take_finalists(
    pilot: Pilot, services: Mapping[str, Service], now: datetime, actor: Person | None
) -> None:
    wanted = {each for service in services.values() for each in service.candidate_ids}
    trials = Trial.objects.filter(pilot=pilot, dropped_at__isnull=True)
    dropped = trials.exclude(candidate_id__in=wanted).select_related("pilot", "candidate")
    for trial in dropped.order_by("id"):
        drop_trial(trial=trial, now=now, actor=actor)
    add_trials(pilot, wanted, now, actor)
