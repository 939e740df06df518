"""Setting and removing limits. What is used of them is on the dashboard's page, named `limits`."""

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import ADMINS, allow, signed_in
from apps.pilots import limits
from apps.pilots.forms import LimitForm
from apps.pilots.models import Limit, LimitPeriod, LimitScope, Pilot
from apps.pilots.queries import Subject, limits_of, subject_words, subjects_to_limit, whose
from apps.pilots.refusals import attempt, sentence
from apps.pilots.trail import PilotClosed

FIELDS: Final = ("requests_per_minute", "tokens_per_minute", "at_once", "usd", "period")


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def set_limit(request: HttpRequest, slug: str, scope: str) -> HttpResponse:
    """A form for one limit: of the key, person or candidate that ?subject= names, or of each."""
    pilot = get_object_or_404(Pilot, slug=slug)
    subject = _subject(request, pilot, scope)
    known = [each for each in limits_of(pilot) if each.scope == scope and whose(each) == subject]
    limit = known[0] if known else None
    form = LimitForm(request.POST or None, initial=_initial(limit))
    if form.is_valid():
        told: dict[str, Any] = {"pilot": pilot, "scope": scope, "subject": subject}
        told |= {"allowance": form.allowance()} | _by(request)
        if attempt(form, lambda: limits.set_limit(**told)) is not None:
            messages.success(request, "The limit is set. It holds within a second.")
            return redirect("limits", slug)
    context = {"form": form, "edited": pilot, "limit": limit, "scope": scope}
    context["whose"] = subject_words(subject) if subject else LimitScope(scope).label
    return render(request, "pilots/set_limit.html", context)


@require_POST
@allow(ADMINS)
def remove_limit(request: HttpRequest, slug: str, limit_id: int) -> HttpResponse:
    limit = get_object_or_404(Limit.objects.select_related("pilot"), id=limit_id, pilot__slug=slug)
    try:
        limits.remove_limit(limit=limit, **_by(request))
    except PilotClosed as problem:
        messages.error(request, sentence(problem))
    else:
        messages.success(request, "The limit is removed.")
    return redirect("limits", slug)


def _subject(request: HttpRequest, pilot: Pilot, scope: str) -> Subject | None:
    """Return whom ?subject= names, None where it names nobody. Raises Http404."""
    if scope not in LimitScope.values:
        raise Http404(f"no scope {scope}")
    asked = request.GET.get("subject", "")
    if not asked:
        return None
    known = [limit for limit in map(whose, limits_of(pilot)) if limit is not None]
    for subject in (*subjects_to_limit(pilot, scope, now=timezone.now()), *known):
        if str(subject.id) == asked and _scope_of(subject) == scope:
            return subject
    raise Http404(f"nobody {asked} of {scope} in {pilot.slug}")


def _scope_of(subject: Subject) -> str:
    names = {"key": LimitScope.KEY, "enrollment": LimitScope.PERSON}
    return names.get(subject._meta.model_name or "", LimitScope.CANDIDATE)


def _initial(limit: Limit | None) -> dict[str, Any]:
    if limit is None:
        return {"period": LimitPeriod.MONTH, "is_hard": "yes"}
    initial = {name: getattr(limit, name) for name in FIELDS}
    if limit.usd is not None:
        initial["usd"] = f"{limit.usd.normalize():f}"
    return initial | {"is_hard": "yes" if limit.is_hard else "no"}


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"actor": signed_in(request).person, "now": timezone.now()}
