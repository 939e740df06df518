"""One role's finding, computed from everything there is."""

from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Sum

from apps.core.rotation import working_day
from apps.metrics.arms import Arms, in_the_running
from apps.metrics.evidence import Evidence, evidence_of
from apps.metrics.findings import TIE, WINNER, Bias, Finding
from apps.metrics.judging import Outcome, Terms, contrasts_of, outcome_of
from apps.metrics.standing import Group, standing_of_days, standing_of_votes
from apps.metrics.stats.bias import coverage
from apps.metrics.stats.looks import Look, look_of, next_look, planned_looks
from apps.metrics.tallies import pace_of, pairs_of, places_of, tallies_of
from apps.metrics.tie_breaks import broken_tie
from apps.pilots.models import Goal, IncumbentDay, Measure, Pilot, Plan
from apps.pilots.plan_queries import plan_of

_LIMITS: Final = {Measure.ACCEPTANCE: (0.0, 1.0), Measure.DAILY: (1.0, 5.0)}


def compute_finding(pilot: Pilot, goal: Goal, *, now: datetime) -> Finding:
    """Return what is known now of a role by its primary measure; frozen once the pilot is closed.

    Raises ValueError for a measure that nothing is collected by.
    """
    plan, arms = plan_of(pilot), Arms(pilot, goal.role)
    evidence = evidence_of(pilot, goal.role, goal.measure, arms)
    active = in_the_running(pilot, goal, arms, evidence.met)
    today = working_day(pilot.closed_at or now, pilot.zone_info)
    begun = max(pilot.starts_on, arms.first_day or pilot.starts_on)
    days = planned_looks(begun, max(plan.decide_by, begun + timedelta(days=1)))
    look = look_of(days, today)
    if pilot.closed_at is not None and today < days[-1]:
        # An early end is the last look and sees everything; a later one is no further look.
        look = Look(len(days), len(days), today + timedelta(days=1))
    rivals = len(arms.ever | set(goal.candidate_ids) | active | evidence.met) - 1
    terms = Terms(
        goal.measure,
        float(goal.margin),
        rivals=max(rivals, 1),
        looks=len(days),
        is_last=look is not None and look.number == look.planned,
    )
    live = _standing(evidence, goal.measure, None)
    judged = _standing(evidence, goal.measure, look.day) if look else []
    outcome = outcome_of(live, judged, active, terms)
    tallies = tallies_of(evidence.days, evidence.votes)
    pace = pace_of(evidence.days, evidence.votes, today)
    pairs = pairs_of(evidence.days, evidence.votes)
    return Finding(
        role=goal.role,
        measure=goal.measure,
        margin=float(goal.margin),
        computed_at=now,
        state=outcome.state,
        places=tuple(
            places_of(
                live,
                tallies,
                sorted(active - evidence.met),
                is_shrunken=goal.measure == Measure.DAILY,
            )
        ),
        contrasts=tuple(contrasts_of(live, judged, terms, pace, pairs)),
        winner_id=_winner(pilot, goal, plan, outcome),
        look=look.number if look else 0,
        looks=len(days),
        people=len(evidence.people),
        count=_count(evidence),
        baseline=_baseline(plan, goal),
        bias=_bias(evidence, live),
        is_frozen=pilot.closed_at is not None,
        is_blind=evidence.is_blind,
        judged_on=look.day if look else None,
        next_look_on=next_look(days, today) if pilot.closed_at is None else None,
    )


def _standing(evidence: Evidence, measure: str, before: date | None) -> list[Group]:
    """Return how all candidates stand; by what was known before a look, where one is given."""
    days = [row for row in evidence.days if before is None or row.known_on < before]
    votes = [row for row in evidence.votes if before is None or row.known_on < before]
    if measure == Measure.WINS:
        return standing_of_votes(votes, is_resampled=before is None)
    limits = _LIMITS[Measure(measure)]
    return standing_of_days(days, limits=limits, is_resampled=before is None)


def _winner(pilot: Pilot, goal: Goal, plan: Plan, outcome: Outcome) -> int | None:
    if outcome.state == WINNER:
        return outcome.best_ids[0]
    if outcome.state == TIE:
        return broken_tie(pilot, goal.role, plan.tie_break, outcome.best_ids)
    return None


def _count(evidence: Evidence) -> int:
    return round(sum(row.weight for row in evidence.days)) + len(evidence.votes)


def _baseline(plan: Plan, goal: Goal) -> float | None:
    """Return the share of its completions that people take from what they have already."""
    if plan.baseline is None or goal.measure != Measure.ACCEPTANCE:
        return None
    reported = IncumbentDay.objects.filter(
        incumbent=plan.baseline, shown__isnull=False, accepted__isnull=False
    ).aggregate(shown=Sum("shown"), accepted=Sum("accepted"))
    return reported["accepted"] / reported["shown"] if reported["shown"] else None


def _bias(evidence: Evidence, live: list[Group]) -> Bias:
    main = max(live, key=lambda group: int(group.estimates.clusters.max()), default=None)
    return Bias(
        asked=evidence.asked,
        answered=evidence.answered,
        coverage=coverage(evidence.answered, evidence.asked),
        extreme_raters=evidence.extreme,
        raters=len(evidence.people),
        left=evidence.left,
        changes_without_one=main.hangs_on_one if main else None,
        swapped=evidence.swapped,
        flagged=evidence.flagged,
        both_bad=evidence.both_bad,
        seeing_raters=evidence.seeing,
        volunteered=evidence.volunteered,
        sampled=evidence.sampled,
    )
