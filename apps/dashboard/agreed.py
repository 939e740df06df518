"""Reads what was set beforehand, to hold the figures against."""

from apps.dashboard.verdicts import Agreed
from apps.pilots.models import Goal, Pilot, Plan


def agreed_for(pilot: Pilot) -> Agreed:
    """Return what a pilot set beforehand. Two queries."""
    goals = list(Goal.objects.filter(pilot=pilot))
    least = {goal.role: float(goal.least) for goal in goals if goal.least is not None}
    plan = Plan.objects.filter(pilot=pilot).select_related("baseline").first()
    baseline = plan.baseline.name if plan is not None and plan.baseline is not None else ""
    return Agreed(least=least, has_goals=bool(goals), plan=plan, baseline=baseline)
