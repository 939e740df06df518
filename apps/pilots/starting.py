"""The start of a pilot: from then on its keys open something, and what was set is on record."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.accounts.models import Person
from apps.pilots.checklist import Missing, checklist
from apps.pilots.happenings import happened
from apps.pilots.models import Goal, Pilot, Plan, Rotation, Stage
from apps.pilots.plan_defaults import FINALISTS
from apps.pilots.plan_queries import goals_of, plan_of
from apps.pilots.plan_trail import plain
from apps.pilots.rotations import start_rotation
from apps.pilots.serving import AlreadyStarted
from apps.pilots.trail import note, open_pilot


class NotReady(Exception):
    """Something keeps the pilot from starting; `missing` says what."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__("; ".join(each.title for each in missing))
        self.missing = tuple(missing)


@transaction.atomic
def start_pilot(*, pilot: Pilot, now: datetime, actor: Person | None = None) -> list[Rotation]:
    """Start a draft: publish it, begin the rotations of what is blind, and log what was set.

    Raises PilotClosed, AlreadyStarted, NotReady.
    """
    locked = open_pilot(pilot)
    if not locked.is_draft:
        raise AlreadyStarted(locked.slug)
    blockers = [each for each in checklist(locked, now=now) if each.is_blocker]
    if blockers:
        raise NotReady(blockers)
    locked.started_at = now
    locked.save(update_fields=["started_at"])
    plan, goals = plan_of(locked), goals_of(locked)
    note(locked, "pilot started", actor, now, set_beforehand(locked, plan, goals))
    days = f"{locked.starts_on} to {locked.ends_on}, decided by {plan.decide_by}"
    happened(locked, f"{locked.get_stage_display().partition(':')[0]} started: {days}", now=now)
    return start_turns(locked, goals, now, actor)


def start_turns(
    pilot: Pilot, goals: Sequence[Goal], now: datetime, actor: Person | None
) -> list[Rotation]:
    """Begin the rotations of what is blind; in a screening there are none."""
    return [
        start_rotation(
            pilot=pilot, role=goal.role, candidate_ids=goal.candidate_ids, now=now, actor=actor
        )
        for goal in goals
        if pilot.stage == Stage.TRIAL and goal.is_blind and len(goal.candidate_ids) >= FINALISTS
    ]


def set_beforehand(pilot: Pilot, plan: Plan, goals: Sequence[Goal]) -> dict[str, object]:
    """Return for the audit trail what is set when a stage begins."""
    fields = (
        "decide_by",
        "tie_break",
        "baseline",
        "residence_most",
        "first_content_ms_most",
        "memory_gb",
        "usd_per_year_most",
        "failed_share_most",
        "upkeep_hours_week_most",
    )
    told: dict[str, object] = {"stage": pilot.stage, "people_named": pilot.people_named}
    told |= {name: plain(getattr(plan, name)) for name in fields}
    return told | {
        goal.role: f"{goal.measure}, margin {plain(goal.margin)}, least {plain(goal.least)}"
        for goal in goals
    }
