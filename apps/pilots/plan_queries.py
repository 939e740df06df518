"""Reads of a pilot's plan: what is set, what was changed after the start, and its join links."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.accounts.models import AuditEntry
from apps.accounts.queries import name_of
from apps.catalog.models import Candidate, CandidateState, Residence
from apps.pilots.models import Goal, JoinLink, Pilot, Plan, UseRole
from apps.pilots.queries import trials_of

CHANGED_LATE: Final = "plan changed after the start"
_ORDER: Final = {role: place for place, role in enumerate(UseRole.values)}


def plan_of(pilot: Pilot) -> Plan:
    """Return a pilot's plan; one that is not stored, with every default, where there is none."""
    stored = Plan.objects.filter(pilot=pilot).select_related("baseline").first()
    return stored or Plan(pilot=pilot, decide_by=pilot.ends_on, changed_at=pilot.created_at)


def goals_of(pilot: Pilot) -> list[Goal]:
    """Return the goals of a pilot in the order of their roles."""
    goals = Goal.objects.filter(pilot=pilot).order_by("id")
    return sorted(goals, key=lambda goal: _ORDER[goal.role])


def candidates_to_plan(pilot: Pilot) -> list[Candidate]:
    """Return whom a pilot may try, in order: whoever is not retired, and what is on trial."""
    on_trial = [trial.candidate_id for trial in trials_of(pilot)]
    known = Candidate.objects.select_related("provider").order_by("position")
    return [
        each
        for each in known
        if each.id in on_trial
        or (each.state != CandidateState.RETIRED and each.provider.retired_at is None)
    ]


@dataclass(frozen=True, slots=True)
class LateChange:
    """One act of changing the plan of a pilot that had started."""

    at: datetime
    actor: str
    what: list[tuple[str, str, str]]


def changes_after_start(pilot: Pilot) -> list[LateChange]:
    """Return what was changed of the plan after the start, oldest first."""
    entries = AuditEntry.objects.filter(subject=f"pilot {pilot.slug}", action=CHANGED_LATE)
    return [
        LateChange(
            entry.at,
            name_of(entry.actor) if entry.actor else "the system",
            [(what, before, after) for what, (before, after) in entry.detail.items()],
        )
        for entry in entries.select_related("actor__user").order_by("at", "id")
    ]


def open_join_links(pilot: Pilot, *, now: datetime) -> list[JoinLink]:
    """Return the links by which somebody can still join, newest first."""
    links = JoinLink.objects.filter(pilot=pilot, revoked_at__isnull=True, expires_at__gt=now)
    return list(links.order_by("-created_at", "-id"))


def residences_of(pilot: Pilot) -> list[Residence]:
    """Return the classes of place that code goes to, the nearest first."""
    goals = Goal.objects.filter(pilot=pilot).values_list("candidate_ids", flat=True)
    ids = {each for some in goals for each in some}
    ids |= {trial.candidate_id for trial in trials_of(pilot)}
    places = Candidate.objects.filter(id__in=ids).values_list("provider__residence", flat=True)
    there = set(places)
    return [each for each in Residence if each in there]
