"""Findings are computed by schedule and stored; pages read what is stored."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from apps.feedback.models import Comparison, DailyQuestion
from apps.metrics.computing import compute_finding
from apps.metrics.evidence_digest import evidence_digest
from apps.metrics.findings import Finding
from apps.metrics.models import StoredFinding
from apps.pilots.models import Goal, Measure, Pilot
from apps.pilots.plan_queries import goals_of


def findings_of(pilot: Pilot) -> list[Finding]:
    """Return the stored findings of a pilot, by role; none of an older format. One query."""
    found = []
    for stored in StoredFinding.objects.filter(pilot_id=pilot.id).order_by("role"):
        try:
            finding = Finding.from_json(stored.result)
        except ValueError:
            continue
        found.append(replace(finding, withdrawn_since=stored.withdrawn_since))
    return found


def compute_all(*, now: datetime) -> int:
    """Compute the findings of every started pilot whose evidence has changed; return how many."""
    pilots = Pilot.objects.filter(started_at__isnull=False, goals__isnull=False).order_by("id")
    return sum(compute_findings(pilot, now=now) for pilot in pilots.distinct())


def compute_findings(pilot: Pilot, *, now: datetime) -> int:
    """Compute and store one finding for each goal of a pilot; return how many were computed.

    Nothing is computed where nothing has changed. What is frozen stays as it is: only what was
    withdrawn since is counted. A pilot without goals has no findings; a draft has none yet.
    """
    if pilot.is_draft:
        return 0
    goals = goals_of(pilot)
    stored = {each.role: each for each in StoredFinding.objects.filter(pilot_id=pilot.id)}
    _forget(pilot, goals, list(stored.values()))
    open_goals = []
    for goal in goals:
        standing = stored.get(goal.role)
        if standing is not None and standing.is_frozen:
            _count_withdrawn(pilot, standing)
        else:
            open_goals.append(goal)
    if not open_goals:
        return 0
    digest = evidence_digest(pilot, now=now)
    changed = [
        goal
        for goal in open_goals
        if goal.role not in stored or stored[goal.role].evidence != digest
    ]
    for goal in changed:
        _store(pilot, compute_finding(pilot, goal, now=now), digest)
    return len(changed)


def _forget(pilot: Pilot, goals: Sequence[Goal], stored: Sequence[StoredFinding]) -> None:
    """Drop findings of roles that have no goal any more; frozen ones stay."""
    roles = {goal.role for goal in goals}
    if any(each.role not in roles and not each.is_frozen for each in stored):
        gone = StoredFinding.objects.filter(pilot_id=pilot.id, is_frozen=False)
        gone.exclude(role__in=roles).delete()


def _store(pilot: Pilot, finding: Finding, digest: str) -> None:
    values = {
        "measure": finding.measure,
        "computed_at": finding.computed_at,
        "evidence": digest,
        "result": finding.to_json(),
        "is_frozen": finding.is_frozen,
    }
    with transaction.atomic():
        StoredFinding.objects.get_or_create(pilot_id=pilot.id, role=finding.role, defaults=values)
        # Whoever froze it first has the last word.
        open_ones = StoredFinding.objects.filter(
            pilot_id=pilot.id, role=finding.role, is_frozen=False
        )
        open_ones.update(**values)


def _count_withdrawn(pilot: Pilot, stored: StoredFinding) -> None:
    withdrawn = Q(pilot_id=pilot.id, role=stored.role, withdrawn_at__gt=stored.computed_at)
    count = 0
    if stored.measure == Measure.DAILY:
        count = DailyQuestion.objects.filter(withdrawn).count()
    elif stored.measure == Measure.WINS:
        count = Comparison.objects.filter(withdrawn, is_blind=True).count()
    if count != stored.withdrawn_since:
        stored.withdrawn_since = count
        stored.save(update_fields=["withdrawn_since"])
