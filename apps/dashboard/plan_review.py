"""The last step of a pilot's plan: what is missing, what it promises, what it costs; and Start."""

from decimal import Decimal
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import ADMINS, allow
from apps.catalog.models import Residence
from apps.core.figures import money_range
from apps.dashboard.plan_estimates import estimate, promises
from apps.pilots.models import Enrollment, Goal, Pilot, Plan
from apps.pilots.plan_defaults import UNITS
from apps.pilots.plan_queries import changes_after_start, goals_of, plan_of
from apps.pilots.queries import trials_of
from apps.pilots.refusals import sentence
from apps.pilots.serving import AlreadyStarted
from apps.pilots.starting import NotReady, start_pilot
from apps.pilots.trail import PilotClosed
from apps.pilots.wizard import by, step_page
from apps.planning.day0 import Range

NOT_SET: Final = "not set"
FARTHEST: Final[dict[str, str]] = {
    Residence.INSIDE: "code stays inside",
    Residence.PRIVATE: "code goes no farther than a private path",
    Residence.OUTSIDE: "code may go outside",
}


@require_safe
@allow(ADMINS)
def plan_review(request: HttpRequest, slug: str) -> HttpResponse:
    """All that is set, and what it leads to."""
    pilot, now = get_object_or_404(Pilot, slug=slug), timezone.now()
    known, goals = plan_of(pilot), goals_of(pilot)
    enrolled = Enrollment.objects.filter(pilot=pilot, left_at__isnull=True).count()
    people = max(known.people_expected, enrolled)
    ids = {each for goal in goals for each in goal.candidate_ids}
    ids |= {trial.candidate_id for trial in trials_of(pilot)}
    cost = estimate(pilot, known, sorted(ids), people, now)
    context: dict[str, Any] = {
        "promises": promises(pilot, goals, people),
        "cost": cost,
        "pilot_range": _span(cost.pilot),
        "year_range": _span(cost.year),
        "plan": known,
        "people": people,
        "enrolled": enrolled,
        "goals": [(goal.get_role_display(), goal_words(goal)) for goal in goals],
        "thresholds": thresholds(known),
        "late": changes_after_start(pilot),
    }
    return step_page(request, pilot, "review", context, app="dashboard")


@require_POST
@allow(ADMINS)
def start_draft(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a pilot, unless something keeps it back."""
    pilot = get_object_or_404(Pilot, slug=slug)
    try:
        start_pilot(pilot=pilot, **by(request))
    except NotReady as problem:
        titles = "; ".join(each.title for each in problem.missing)
        messages.error(request, f"It cannot start yet. {titles}.")
    except AlreadyStarted:
        messages.info(request, f"{pilot.name} has started already.")
    except PilotClosed as problem:
        messages.error(request, sentence(problem))
    else:
        messages.success(request, f"{pilot.name} has started. What was set is on record.")
    return redirect("plan_review", slug)


def goal_words(goal: Goal) -> str:
    """Say how a role is judged: measure, margin, the least worth having."""
    unit = UNITS[goal.measure]
    sign = "%" if unit.scale != 1 else " of five"
    margin = f"{(goal.margin * unit.scale).normalize():f} {unit.words}"
    words = f"{goal.get_measure_display()}, margin {margin}"
    if goal.least is None:
        return words
    return f"{words}, at least {(goal.least * unit.scale).normalize():f}{sign}"


def thresholds(plan: Plan) -> list[tuple[str, str]]:
    """Return the five questions and what each is held against."""
    return [
        ("1 Is one valuable enough?", "by role, as above"),
        (
            "2 Does a deployment fit?",
            f"answers begin within {_or(plan.first_content_ms_most, 'ms')}; "
            f"{FARTHEST[plan.residence_most]}",
        ),
        ("3 Is there enough memory?", _or(plan.memory_gb, "GB")),
        ("4 Is there enough budget?", _or(plan.usd_per_year_most, "USD a year")),
        (
            "5 Can it be maintained?",
            f"{_percent(plan)} of calls may fail; "
            f"{_or(plan.upkeep_hours_week_most, 'hours a week')}",
        ),
    ]


def _span(amount: Range | None) -> str:
    return "" if amount is None else money_range(amount.low, amount.high)


def _or(value: Any, unit: str) -> str:
    return NOT_SET if value is None else f"{Decimal(value).normalize():,f} {unit}"


def _percent(plan: Plan) -> str:
    share = plan.failed_share_most
    return NOT_SET if share is None else f"{(share * 100).normalize():f}%"
