"""Set-up: what the team has already, at what price, and how much it is used. Not blind."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import ADMINS, allow, signed_in
from apps.pilots import incumbents as actions
from apps.pilots.incumbent_forms import DayForm, ImportForm, IncumbentForm
from apps.pilots.life_refusals import attempt, sentence
from apps.pilots.models import Incumbent, Pilot
from apps.pilots.trail import PilotClosed


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def incumbents(request: HttpRequest, slug: str) -> HttpResponse:
    """Every incumbent with its figures over the whole pilot, and a form for another."""
    pilot, form = get_object_or_404(Pilot, slug=slug), IncumbentForm(request.POST or None)
    if form.is_valid():
        told = form.cleaned_data | _by(request)
        made = attempt(form, lambda: actions.add_incumbent(pilot=pilot, **told))
        if made is not None:
            messages.success(request, f"{made.name} is there. Type or import its days.")
            return redirect("incumbent", slug, made.id)
    rows = actions.incumbent_figures(pilot, pilot.period)
    context = {"edited": pilot, "rows": rows, "form": form, "now": timezone.now()}
    return render(request, "pilots/incumbents.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def incumbent(request: HttpRequest, slug: str, incumbent_id: int) -> HttpResponse:
    """One incumbent: its price, and its days."""
    found = _incumbent_or_404(slug, incumbent_id)
    form = IncumbentForm(request.POST or None, initial=_told(found))
    if form.is_valid():
        told = form.cleaned_data | _by(request)
        if attempt(form, lambda: actions.change_incumbent(incumbent=found, **told)) is not None:
            messages.success(request, "Saved.")
            return redirect("incumbent", slug, incumbent_id)
    return _page(request, found, {"form": form})


@require_POST
@allow(ADMINS)
def type_day(request: HttpRequest, slug: str, incumbent_id: int) -> HttpResponse:
    found, form = _incumbent_or_404(slug, incumbent_id), DayForm(request.POST)
    if form.is_valid():
        days, by = [form.tool_day()], _by(request)
        done = attempt(
            form,
            lambda: actions.store_days(incumbent=found, days=days, source=actions.TYPED, **by),
        )
        if done is not None:
            messages.success(request, f"{days[0].day} is stored.")
            return redirect("incumbent", slug, incumbent_id)
    return _page(request, found, {"day_form": form})


@require_POST
@allow(ADMINS)
def import_days(request: HttpRequest, slug: str, incumbent_id: int) -> HttpResponse:
    found, form = _incumbent_or_404(slug, incumbent_id), ImportForm(request.POST, request.FILES)
    if form.is_valid():
        by = _by(request) | {"source": form.source}
        done = attempt(form, lambda: actions.store_days(incumbent=found, days=form.days, **by))
        if done is not None:
            messages.success(request, f"{done} days are stored.")
            return redirect("incumbent", slug, incumbent_id)
    return _page(request, found, {"import_form": form})


@require_POST
@allow(ADMINS)
def remove_incumbent(request: HttpRequest, slug: str, incumbent_id: int) -> HttpResponse:
    found = _incumbent_or_404(slug, incumbent_id)
    try:
        actions.remove_incumbent(incumbent=found, **_by(request))
    except (PilotClosed, actions.InUse, actions.IncumbentRemoved) as problem:
        messages.error(request, sentence(problem))
        return redirect("incumbent", slug, incumbent_id)
    messages.success(request, f"{found.name} is removed.")
    return redirect("incumbents", slug)


def _page(request: HttpRequest, found: Incumbent, forms: dict[str, Any]) -> HttpResponse:
    """One incumbent; a form that was refused stands in the place of a fresh one."""
    fresh = {
        "form": IncumbentForm(initial=_told(found)),
        "day_form": DayForm(),
        "import_form": ImportForm(),
    }
    context = {"edited": found.pilot, "incumbent": found, "days": actions.days_of(found)}
    return render(request, "pilots/incumbent.html", fresh | forms | context)


def _told(found: Incumbent) -> dict[str, Any]:
    price = f"{found.usd_per_seat_month.normalize():f}"
    return {"name": found.name, "seats": found.seats, "usd_per_seat_month": price}


def _incumbent_or_404(slug: str, incumbent_id: int) -> Incumbent:
    standing = Incumbent.objects.filter(removed_at__isnull=True).select_related("pilot")
    return get_object_or_404(standing, id=incumbent_id, pilot__slug=slug)


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"actor": signed_in(request).person, "now": timezone.now()}
