"""Blind rotation for leads, who see the balance and not the arms, and its set-up."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import ADMINS, LEADS, allow, signed_in
from apps.catalog.models import Candidate
from apps.pilots import rotations
from apps.pilots.arms import elsewhere, newest_era, standing_rotations
from apps.pilots.balance import balances
from apps.pilots.life_forms import RotationForm, UnblindForm
from apps.pilots.life_refusals import attempt, sentence
from apps.pilots.models import Pilot, Rotation, UseRole
from apps.pilots.queries import pilot_or_404, trials_of
from apps.pilots.trail import PilotClosed
from apps.pilots.unblinding import unblind_pilot

REFUSALS = (
    PilotClosed,
    rotations.RotationEnded,
    rotations.RotatesAlready,
    rotations.NotOnTrial,
    rotations.ArmsDisagree,
)


@dataclass(frozen=True, slots=True)
class Turns:
    """A rotation as administrators set it up. `problems` hold now, whatever held at its start;
    those `left_out` answer nobody.
    """

    rotation: Rotation
    role: str
    arms: list[Candidate]
    left_out: list[Candidate]
    others: list[Candidate]
    problems: list[str]
    cautions: list[str]


@require_safe
@allow(LEADS)
def rotation(request: HttpRequest, slug: str) -> HttpResponse:
    return _rotation_page(request, pilot_or_404(request, slug), UnblindForm())


@require_POST
@allow(LEADS)
def unblind(request: HttpRequest, slug: str) -> HttpResponse:
    """End the blindness, with a reason, for good."""
    pilot, form = pilot_or_404(request, slug), UnblindForm(request.POST)
    if form.is_valid():
        reason, actor = form.cleaned_data["reason"], signed_in(request).person
        now = timezone.now()
        if attempt(form, lambda: unblind_pilot(pilot=pilot, reason=reason, now=now, actor=actor)):
            messages.success(request, "Unblinded. Everybody sees who has answered them.")
            return redirect("rotation", slug)
    return _rotation_page(request, pilot, form)


def _rotation_page(request: HttpRequest, pilot: Pilot, form: UnblindForm) -> HttpResponse:
    now = timezone.now()
    found = balances(pilot, now=now)
    context = {"pilot": pilot, "now": now, "balances": found, "form": form}
    with timezone.override(pilot.zone_info):
        return render(request, "pilots/rotation.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def setup_rotations(request: HttpRequest, slug: str) -> HttpResponse:
    """Who takes turns for what, and a form to begin another rotation."""
    pilot = get_object_or_404(Pilot, slug=slug)
    form = RotationForm(request.POST or None, pilot=pilot)
    if form.is_valid():
        told = form.cleaned_data
        ids = [each.id for each in told["candidates"]]
        by = _by(request) | {"role": told["role"], "alias": told["alias"]}
        made = attempt(form, lambda: rotations.start_rotation(pilot=pilot, candidate_ids=ids, **by))
        if made is not None:
            messages.success(request, f"Turns are taken behind {made.alias} from today on.")
            return redirect("setup_rotations", slug)
    turns = [_turns(pilot, each) for each in standing_rotations(pilot)]
    context = {"edited": pilot, "turns": turns, "form": form, "now": timezone.now()}
    with timezone.override(pilot.zone_info):
        return render(request, "pilots/setup_rotations.html", context)


@require_POST
@allow(ADMINS)
def add_arm(request: HttpRequest, slug: str, alias: str) -> HttpResponse:
    """Let one more candidate take turns from the next working day on."""
    found = _rotation_or_404(slug, alias)
    trials = found.pilot.trials.filter(dropped_at__isnull=True)
    slugs = trials.values("candidate__slug")
    candidate = get_object_or_404(
        Candidate.objects.filter(slug__in=slugs), slug=request.POST.get("candidate", "")
    )
    try:
        day = rotations.add_arm(rotation=found, candidate=candidate, **_by(request))
    except REFUSALS as problem:
        messages.error(request, sentence(problem))
    else:
        messages.success(request, f"{candidate.name} takes turns from {day:%A, %d %B} on.")
    return redirect("setup_rotations", slug)


@require_POST
@allow(ADMINS)
def end_rotation(request: HttpRequest, slug: str, alias: str) -> HttpResponse:
    """Let an alias stand for nobody from now on."""
    found = _rotation_or_404(slug, alias)
    try:
        rotations.end_rotation(rotation=found, **_by(request))
    except REFUSALS as problem:
        messages.error(request, sentence(problem))
    else:
        messages.success(request, f"{alias} stands for nobody any more.")
    return redirect("setup_rotations", slug)


def _turns(pilot: Pilot, found: Rotation) -> Turns:
    ids = newest_era(found).candidate_ids
    arms = list(
        Candidate.objects.filter(id__in=ids).select_related("provider").order_by("position")
    )
    others = [trial.candidate for trial in trials_of(pilot) if trial.candidate_id not in ids]
    return Turns(
        rotation=found,
        role=UseRole(found.role).label,
        arms=arms,
        left_out=elsewhere(found, arms),
        others=others,
        problems=rotations.disagreements(arms, found.role),
        cautions=rotations.cautions(arms),
    )


def _rotation_or_404(slug: str, alias: str) -> Rotation:
    return get_object_or_404(
        Rotation.objects.select_related("pilot"), pilot__slug=slug, alias=alias
    )


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"actor": signed_in(request).person, "now": timezone.now()}
