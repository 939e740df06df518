"""Steps of a pilot's plan: basics, candidates, measures. The review is the dashboard's."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.access import ADMINS, allow
from apps.catalog.models import Candidate
from apps.pilots import plans, serving
from apps.pilots.going_on import can_go_on, go_on_to_trial
from apps.pilots.measure_form import MeasuresForm, measures_initial
from apps.pilots.models import Goal, Pilot, UseRole
from apps.pilots.plan_defaults import PEOPLE_EXPECTED
from apps.pilots.plan_forms import BasicsForm, CandidatesForm, DraftForm, candidates_initial
from apps.pilots.plan_queries import candidates_to_plan, goals_of, plan_of
from apps.pilots.refusals import attempt
from apps.pilots.rotations import disagreements
from apps.pilots.serving import Service
from apps.pilots.starting import NotReady
from apps.pilots.wizard import by, go_on, step_page, steps, zones

USUAL_LENGTH: Final = timedelta(days=27)


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def create_pilot(request: HttpRequest) -> HttpResponse:
    """The first step: a draft that begins today for four weeks in the site's time zone."""
    today = timezone.localdate()
    initial = {
        "starts_on": today,
        "ends_on": today + USUAL_LENGTH,
        "zone": timezone.get_default_timezone_name(),
    }
    form = DraftForm(request.POST or None, initial=initial)
    if form.is_valid():
        told = form.cleaned_data | by(request)
        pilot = attempt(form, lambda: plans.draft_pilot(**told))
        if pilot is not None:
            return go_on(request, pilot, "basics")
    context = {"form": form, "zones": zones(), "steps": steps(None, "basics")}
    return render(request, "pilots/create_pilot.html", context)


@require_safe
@allow(ADMINS)
def plan(request: HttpRequest, slug: str) -> HttpResponse:
    return redirect("plan_review", slug)


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def plan_basics(request: HttpRequest, slug: str) -> HttpResponse:
    """Name, days, zone, budget."""
    pilot = get_object_or_404(Pilot, slug=slug)
    initial = {name: getattr(pilot, name) for name in BasicsForm.base_fields}
    if pilot.budget_usd is not None:
        initial["budget_usd"] = f"{pilot.budget_usd.normalize():f}"
    form = BasicsForm(request.POST or None, initial=initial)
    if form.is_valid():
        told = form.cleaned_data | by(request)
        if attempt(form, lambda: plans.change_basics(pilot=pilot, **told)) is not None:
            messages.success(request, "Saved.")
            return go_on(request, pilot, "basics")
    return step_page(request, pilot, "basics", {"form": form, "zones": zones()})


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def plan_candidates(request: HttpRequest, slug: str) -> HttpResponse:
    """The stage, and who is to serve which role; of a screening that runs, the finalists."""
    pilot = get_object_or_404(Pilot, slug=slug)
    candidates, goals, goes_on = candidates_to_plan(pilot), goals_of(pilot), can_go_on(pilot)
    initial = candidates_initial(pilot, plan_of(pilot), services_to_show(goals, candidates))
    if goes_on:
        initial["people_expected"] = PEOPLE_EXPECTED
    form = CandidatesForm(
        request.POST or None, candidates=candidates, is_going_on=goes_on, initial=initial
    )
    if form.is_valid() and _chosen(request, pilot, form, goes_on=goes_on):
        return redirect("plan_measures", slug) if goes_on else go_on(request, pilot, "candidates")
    rows = candidate_rows(form, candidates)
    context = {"form": form, "rows": rows, "clashes": clashes(goals, candidates)}
    context["goes_on"] = goes_on
    context["blind"] = [form[f"{role.value}_blind"] for role in UseRole]
    return step_page(request, pilot, "candidates", context | {"roles": list(UseRole)})


def _chosen(request: HttpRequest, pilot: Pilot, form: CandidatesForm, *, goes_on: bool) -> bool:
    """Store who serves what, and begin the trial that follows a screening; or say why not."""
    told = form.told() | by(request)
    action = go_on_to_trial if goes_on else serving.choose_candidates
    try:
        done = attempt(form, lambda: (action(pilot=pilot, **told), True))
    except NotReady as problem:
        for each in problem.missing:
            form.add_error(None, f"{each.title}. {each.detail}")
        return False
    if done is not None:
        said = "The trial has begun. Look at how it is judged." if goes_on else "Saved."
        messages.success(request, said)
    return done is not None


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def plan_measures(request: HttpRequest, slug: str) -> HttpResponse:
    """How each role is judged, the thresholds of the five questions, and what is assumed."""
    pilot = get_object_or_404(Pilot, slug=slug)
    goals, known = goals_of(pilot), plan_of(pilot)
    roles = [goal.role for goal in goals] or list(UseRole.values)
    form = MeasuresForm(
        request.POST or None,
        plan=known,
        goals=goals,
        roles=roles,
        initial=measures_initial(known, goals),
    )
    if form.is_valid():
        told = {"aims": form.aims(), "fields": form.plan_fields()} | by(request)
        if attempt(form, lambda: plans.set_plan(pilot=pilot, **told)) is not None:
            messages.success(request, "Saved.")
            return go_on(request, pilot, "measures")
    return step_page(request, pilot, "measures", {"form": form})


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the table: whether a candidate serves a role."""

    role: str
    label: str
    value: str
    is_checked: bool


@dataclass(frozen=True, slots=True)
class CandidateRow:
    candidate: Candidate
    boxes: list[Box]


@dataclass(frozen=True, slots=True)
class Clash:
    """Why those who are to serve a role cannot take turns blind."""

    role: str
    reasons: list[str]


def services_to_show(goals: list[Goal], candidates: list[Candidate]) -> dict[str, Service]:
    """Return who serves what; where nothing was chosen yet, what we would choose."""
    chosen = {
        goal.role: Service(tuple(goal.candidate_ids), goal.is_blind)
        for goal in goals
        if goal.candidate_ids
    }
    return chosen or serving.proposed_services(candidates)


def candidate_rows(form: CandidatesForm, candidates: list[Candidate]) -> list[CandidateRow]:
    """Return the table of boxes as the form has them now."""
    checked = {role.value: set(form[role.value].value() or ()) for role in UseRole}
    return [
        CandidateRow(
            each,
            [
                Box(role.value, role.label, str(each.id), str(each.id) in checked[role.value])
                for role in UseRole
            ],
        )
        for each in candidates
    ]


def clashes(goals: list[Goal], candidates: list[Candidate]) -> list[Clash]:
    """Return the blind roles whose candidates differ so that one would notice."""
    by_id = {each.id: each for each in candidates}
    found = []
    for goal in goals:
        arms = [by_id[each] for each in goal.candidate_ids if each in by_id]
        reasons = disagreements(arms, goal.role) if goal.is_blind and len(arms) > 1 else []
        if reasons:
            found.append(Clash(goal.get_role_display(), reasons))
    return found
