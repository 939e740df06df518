"""The steps of a pilot's plan: five pages that can be saved in any order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import available_timezones

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from apps.accounts.access import signed_in
from apps.pilots.checklist import Missing, checklist
from apps.pilots.models import Pilot

STEPS: Final = {
    "basics": "Basics",
    "candidates": "Stage and candidates",
    "people": "People and privacy",
    "measures": "Measures",
    "review": "Review and start",
}
_NAMES: Final = list(STEPS)


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the plan; `url` is empty before there is a draft."""

    number: int
    label: str
    url: str
    current: bool
    is_blocked: bool


def steps(pilot: Pilot | None, here: str, missing: Iterable[Missing] = ()) -> list[Step]:
    """Return the steps in order; one is blocked where it holds what keeps the pilot back."""
    blocked = {each.url for each in missing if each.is_blocker}
    found = []
    for number, (name, label) in enumerate(STEPS.items(), start=1):
        url = reverse(f"plan_{name}", args=[pilot.slug]) if pilot else ""
        found.append(Step(number, label, url, name == here, url in blocked))
    return found


def step_context(pilot: Pilot, here: str) -> dict[str, Any]:
    """Return what every step's page shows around its form."""
    place, now = _NAMES.index(here), timezone.now()
    missing = checklist(pilot, now=now) if pilot.is_draft else []
    return {
        "edited": pilot,
        "now": now,
        "blockers": [each for each in missing if each.is_blocker],
        "advice": [each for each in missing if not each.is_blocker],
        "steps": steps(pilot, here, missing),
        "step": STEPS[here],
        "back": reverse(f"plan_{_NAMES[place - 1]}", args=[pilot.slug]) if place else "",
        "is_last": place == len(_NAMES) - 1,
    }


def step_page(
    request: HttpRequest,
    pilot: Pilot,
    here: str,
    context: Mapping[str, Any],
    *,
    app: str = "pilots",
) -> HttpResponse:
    """Show a step."""
    page = f"{app}/plan_{here}.html"
    with timezone.override(pilot.zone_info):
        return render(request, page, step_context(pilot, here) | dict(context))


def go_on(request: HttpRequest, pilot: Pilot, here: str) -> HttpResponse:
    """Lead on from a step that was saved: to the next, unless one asked to stay."""
    there = here if request.POST.get("go") == "stay" else _NAMES[_NAMES.index(here) + 1]
    return redirect(f"plan_{there}", pilot.slug)


def by(request: HttpRequest) -> dict[str, Any]:
    """Return who acts, and when."""
    return {"actor": signed_in(request).person, "now": timezone.now()}


def zones() -> list[str]:
    return sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
