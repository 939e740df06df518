"""Set-up of pilots: settings, candidates on trial, people and their keys."""

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import mail
from apps.accounts.access import ADMINS, allow, signed_in
from apps.pilots import actions, trials
from apps.pilots.arms import LastArm
from apps.pilots.forms import EnrollForm, InviteToPilotForm, TrialForm
from apps.pilots.invitations import invite_to_pilot
from apps.pilots.models import Enrollment, Key, Pilot, Trial
from apps.pilots.queries import all_keys, participants, pilot_rows, trials_of
from apps.pilots.refusals import attempt, sentence
from apps.pilots.trail import PilotClosed

KEYS_SHOWN = 100


@require_safe
@allow(ADMINS)
def setup_pilots(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    return render(request, "pilots/setup_pilots.html", {"rows": pilot_rows(now=now), "now": now})


@require_safe
@allow(ADMINS)
def setup_pilot(request: HttpRequest, slug: str) -> HttpResponse:
    return _pilot_page(request, get_object_or_404(Pilot, slug=slug), {})


@require_POST
@allow(ADMINS)
def add_trial(request: HttpRequest, slug: str) -> HttpResponse:
    pilot = get_object_or_404(Pilot, slug=slug)
    form = TrialForm(request.POST, pilot=pilot)
    if form.is_valid():
        told = form.cleaned_data | _by(request)
        trial = attempt(form, lambda: trials.add_trial(pilot=pilot, **told))
        if trial is not None:
            messages.success(request, f"{trial.candidate.name} answers to {trial.alias}.")
            return redirect("setup_pilot", slug)
    return _pilot_page(request, pilot, {"trial_form": form})


@require_POST
@allow(ADMINS)
def drop_trial(request: HttpRequest, slug: str, trial_id: int) -> HttpResponse:
    trial = get_object_or_404(
        Trial.objects.select_related("pilot", "candidate"), id=trial_id, pilot__slug=slug
    )
    try:
        trials.drop_trial(trial=trial, **_by(request))
    except (PilotClosed, LastArm) as problem:
        messages.error(request, sentence(problem))
    else:
        messages.success(request, f"{trial.candidate.name} is off trial.")
    return redirect("setup_pilot", slug)


@require_POST
@allow(ADMINS)
def enroll_people(request: HttpRequest, slug: str) -> HttpResponse:
    """Enroll people who sign in already."""
    pilot = get_object_or_404(Pilot, slug=slug)
    form = EnrollForm(request.POST, pilot=pilot)
    if form.is_valid():
        people, by = form.cleaned_data["people"], _by(request)
        done = attempt(
            form, lambda: [actions.enroll(pilot=pilot, person=each, **by) for each in people]
        )
        if done is not None:
            messages.success(request, f"{len(done)} enrolled.")
            return redirect("setup_pilot", slug)
    return _pilot_page(request, pilot, {"enroll_form": form})


@require_POST
@allow(ADMINS)
@never_cache
def invite_people_to_pilot(request: HttpRequest, slug: str) -> HttpResponse:
    """Enroll by e-mail, inviting those who are new, and show their links this once."""
    pilot = get_object_or_404(Pilot, slug=slug)
    form, by = InviteToPilotForm(request.POST), signed_in(request)
    if form.is_valid():
        emails, now = form.cleaned_data["emails"], timezone.now()
        outcome = attempt(
            form,
            lambda: invite_to_pilot(pilot=pilot, emails=emails, by=by.person, now=now),
        )
        if outcome is not None:
            letters = outcome.letters
            is_set_up = mail.is_set_up()
            told = {"letters": letters, "mail": is_set_up, "enrolled": outcome.enrolled}
            told["sent"] = (
                bool(letters)
                and is_set_up
                and mail.send_invitations(letters, inviter=by.display_name)
            )
            return _pilot_page(request, pilot, {}, told)
    return _pilot_page(request, pilot, {"invite_form": form})


@require_POST
@allow(ADMINS)
def take_out(request: HttpRequest, slug: str, enrollment_id: int) -> HttpResponse:
    """Take a person out of the pilot."""
    enrollment = get_object_or_404(
        Enrollment.objects.select_related("pilot", "person"), id=enrollment_id, pilot__slug=slug
    )
    actions.leave(enrollment=enrollment, **_by(request))
    messages.success(request, "Taken out; keys are revoked, history stays.")
    return redirect("setup_pilot", slug)


@require_POST
@allow(ADMINS)
def revoke_any_key(request: HttpRequest, slug: str, key_id: int) -> HttpResponse:
    """Revoke anybody's key of the pilot, at once."""
    keys = Key.objects.select_related("enrollment__pilot")
    key = get_object_or_404(keys, id=key_id, enrollment__pilot__slug=slug)
    actions.revoke_key(key=key, **_by(request))
    messages.success(request, f"The key {key.hint} is revoked.")
    return redirect("setup_pilot", slug)


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"actor": signed_in(request).person, "now": timezone.now()}


def _pilot_page(
    request: HttpRequest,
    pilot: Pilot,
    forms: dict[str, Form],
    outcome: dict[str, Any] | None = None,
) -> HttpResponse:
    """One pilot; a form that was refused stands in the place of a fresh one."""
    now = timezone.now()
    fresh: dict[str, Form] = {
        "trial_form": TrialForm(pilot=pilot),
        "enroll_form": EnrollForm(pilot=pilot),
        "invite_form": InviteToPilotForm(),
    }
    keys = list(all_keys(pilot)[:KEYS_SHOWN])
    context: dict[str, Any] = {
        "edited": pilot,
        "trials": list(trials_of(pilot)),
        "people": participants(pilot, now=now),
        "keys": [key for key in keys if key.revoked_at is None and key.expires_at > now],
        "limit_count": pilot.limits.count(),
        "now": now,
        "outcome": outcome,
    }
    with timezone.override(pilot.zone_info):
        return render(request, "pilots/setup_pilot.html", fresh | forms | context)
