"""The first page of set-up: five steps to the first call, each with where it stands."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import ADMINS, allow
from apps.catalog.models import Auth, CandidateState
from apps.catalog.queries import CandidateRow, ProviderRow, candidate_rows, provider_rows
from apps.metrics.queries_people import Adoption, adoption
from apps.pilots.queries import PilotRow, pilot_rows


@dataclass(frozen=True, slots=True)
class Step:
    """`state` is done, next or later; `words` are the button's."""

    title: str
    state: str
    detail: str
    url: str
    words: str


@dataclass(frozen=True, slots=True)
class Flaw:
    text: str
    url: str


@require_safe
@allow(ADMINS)
def setup(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    providers = [row for row in provider_rows() if row.provider.retired_at is None]
    candidates = [
        row for row in candidate_rows(now=now) if row.candidate.state != CandidateState.RETIRED
    ]
    pilots = [row for row in pilot_rows(now=now) if row.pilot.closed_at is None]
    steps = setup_steps(providers, candidates, pilots, now)
    context = {
        "steps": steps,
        "done": sum(step.state == "done" for step in steps),
        "flaws": flaws(providers, candidates, pilots, now),
    }
    return render(request, "setup/setup.html", context)


def flaws(
    providers: list[ProviderRow],
    candidates: list[CandidateRow],
    pilots: list[PilotRow],
    now: datetime,
) -> list[Flaw]:
    """Return what does not work as it is set up, or will not for long."""
    found = [
        Flaw(f"{row.provider.name} has no key", reverse("setup_provider", args=[row.provider.slug]))
        for row in providers
        if row.provider.auth != Auth.NONE and not row.provider.credential
    ]
    for row in candidates:
        url = reverse("setup_candidate", args=[row.candidate.slug])
        if row.is_uncosted:
            found.append(Flaw(f"{row.candidate.name} has no price: its calls are not costed", url))
        if row.candidate.state == CandidateState.PAUSED:
            found.append(Flaw(f"{row.candidate.name} is paused", url))
    return found + [
        Flaw(
            f"{row.pilot.name} is past its last day: close it, or move the day",
            reverse("setup_pilot", args=[row.pilot.slug]),
        )
        for row in pilots
        if row.pilot.period.end <= now
    ]


def setup_steps(
    providers: list[ProviderRow],
    candidates: list[CandidateRow],
    pilots: list[PilotRow],
    now: datetime,
) -> list[Step]:
    """Return the steps in order; the first that is not done is next."""
    # A pilot that runs tells more than one that is only planned.
    by_progress = sorted(pilots, key=lambda row: not row.pilot.is_running(at=now))
    pilot, people = next(iter(by_progress), None), None
    if pilot is not None:
        people = adoption(pilot.pilot.id, active_since=pilot.pilot.starts_on)
    told = [
        _provider(providers),
        _candidate(candidates, providers),
        _pilot(pilot),
        _people(pilot),
        _first_call(pilot, people),
    ]
    first_open = next((index for index, (_, is_done, *_) in enumerate(told) if not is_done), None)
    return [
        Step(
            title,
            "done" if is_done else "next" if index == first_open else "later",
            detail,
            url,
            words,
        )
        for index, (title, is_done, detail, url, words) in enumerate(told)
    ]


Told = tuple[str, bool, str, str, str]


def _provider(rows: list[ProviderRow]) -> Told:
    if not rows:
        detail = "A server that answers calls: Ollama on this machine, vLLM on a GPU, a service."
        return "Provider", False, detail, reverse("add_provider"), "Add a provider"
    return "Provider", True, _named([row.provider.name for row in rows]), *_list("setup_providers")


def _candidate(rows: list[CandidateRow], providers: list[ProviderRow]) -> Told:
    if not rows:
        slug = providers[0].provider.slug if providers else ""
        url = reverse("setup_provider", args=[slug]) if slug else reverse("setup_candidates")
        detail = "One model of a provider, and what it costs. Test the provider, then pick it."
        return "Candidate", False, detail, url, "Register a candidate"
    names = _named([row.candidate.name for row in rows])
    return "Candidate", True, names, *_list("setup_candidates")


def _pilot(row: PilotRow | None) -> Told:
    if row is None:
        detail = "Dates, a budget, and the candidates on trial under the names developers send."
        return "Pilot", False, detail, reverse("create_pilot"), "Create a pilot"
    pilot, url = row.pilot, reverse("setup_pilot", args=[row.pilot.slug])
    if pilot.is_draft:
        detail = f"{pilot.name} is a draft: see what is missing, and start it."
        return "Pilot", False, detail, reverse("plan_review", args=[pilot.slug]), "Go on"
    if not row.candidates:
        detail = f"{pilot.name} has no candidate on trial."
        return "Pilot", False, detail, url, "Put one on trial"
    detail = f"{pilot.name}: {_count(row.candidates, 'candidate')} on trial, "
    detail += f"{pilot.starts_on:%-d %b} to {pilot.ends_on:%-d %b %Y}."
    return "Pilot", True, detail, url, "Show"


def _people(row: PilotRow | None) -> Told:
    url = reverse("setup_pilot", args=[row.pilot.slug]) + "#people" if row else ""
    if row is None or not row.people:
        detail = "Developers join by a link; each makes a key of their own."
        return "People", False, detail, url, "Invite developers"
    keys = _count(row.keys, "key") + " in force."
    return "People", True, f"{_count(row.people, 'person', 'people')} in, {keys}", url, "Show"


def _first_call(row: PilotRow | None, people: Adoption | None) -> Told:
    url = reverse("connect", args=[row.pilot.slug]) if row else ""
    if row is None or people is None or not people.called:
        detail = "Connect shows the settings for every client; the first call arrives in seconds."
        return "First call", False, detail, url, "Connect a client"
    called = _count(people.called, "person has", "people have")
    url = reverse("overview", args=[row.pilot.slug])
    return "First call", True, f"{called} called.", url, "Overview"


def _list(name: str) -> tuple[str, str]:
    return reverse(name), "Show"


def _named(names: list[str]) -> str:
    shown, more = names[:4], len(names) - 4
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
