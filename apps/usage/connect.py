"""The Connect page: how a developer's tools reach the pilot, and whether they have."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import DEVELOPERS, allow, signed_in
from apps.accounts.models import Person
from apps.catalog.models import Residence
from apps.core.pages import render_page
from apps.pilots.models import Enrollment, Key, KeyKind, Pilot, Trial
from apps.pilots.queries import enrollment_of, pilot_or_404
from apps.usage.clients import Alias, Client, clients
from apps.usage.models import Call
from apps.usage.queries import latest_call

RESIDENCES = {
    Residence.INSIDE: "stays on our own machines",
    Residence.PRIVATE: "goes to our own cloud account",
    Residence.OUTSIDE: "leaves to another company",
}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where code goes that is sent to an alias."""

    trial: Trial
    sentence: str
    is_outside: bool
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Connection:
    """How far a developer has come: no key yet, waiting for the first call, or connected."""

    call: Call | None
    has_key: bool

    @property
    def is_live(self) -> bool:
        return self.call is not None


@require_safe
@allow(DEVELOPERS)
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """Base URL, key, settings for each client, and where code goes."""
    pilot = pilot_or_404(request, slug)
    user, now = signed_in(request), timezone.now()
    enrollment = enrollment_of(user, pilot)
    trials = list(
        Trial.objects.filter(pilot=pilot, dropped_at__isnull=True)
        .select_related("candidate__provider")
        .order_by("candidate__position")
    )
    chosen = client_named(request.GET.get("client", ""), pilot, trials)
    context: dict[str, Any] = {"pilot": pilot, "enrollment": enrollment, "base_url": base_url()}
    context |= {"destinations": [destination(trial) for trial in trials], "client": chosen}
    context["tabs"] = tabs(chosen, pilot, trials)
    context["is_running"] = pilot.is_running(at=now)
    context["connection"] = connection(pilot, enrollment, user.person, now)
    return render_page(
        request,
        "usage/connect.html",
        context,
        fragment="usage/_connection.html",
        zone=pilot.zone_info,
    )


def base_url() -> str:
    return f"{settings.SITE_URL}/v1"


def connection(
    pilot: Pilot, enrollment: Enrollment | None, person: Person, now: datetime
) -> Connection:
    keys = Key.objects.filter(
        enrollment=enrollment, kind=KeyKind.DEVELOPER, revoked_at__isnull=True, expires_at__gt=now
    )
    has_key = enrollment is not None and keys.exists()
    return Connection(latest_call(pilot, person), has_key)


def destination(trial: Trial) -> Destination:
    """Say in one sentence where the code of a call goes."""
    provider = trial.candidate.provider
    residence = Residence(provider.residence)
    region = f" ({provider.region})" if provider.region else ""
    sentence = f"{provider.name}{region}: your code {RESIDENCES[residence]}"
    return Destination(
        trial, sentence, residence == Residence.OUTSIDE, trial.candidate.state != "active"
    )


def all_clients(pilot: Pilot, trials: list[Trial]) -> list[Client]:
    aliases = [
        Alias(trial.alias, trial.candidate.name, trial.candidate.fim_template) for trial in trials
    ]
    return clients(pilot=pilot.name, base_url=base_url(), aliases=aliases)


def client_named(slug: str, pilot: Pilot, trials: list[Trial]) -> Client:
    known = all_clients(pilot, trials)
    return next((client for client in known if client.slug == slug), known[0])


def tabs(chosen: Client, pilot: Pilot, trials: list[Trial]) -> list[dict[str, Any]]:
    return [
        {
            "label": client.name,
            "url": f"?client={client.slug}#settings",
            "current": client.slug == chosen.slug,
        }
        for client in all_clients(pilot, trials)
    ]
