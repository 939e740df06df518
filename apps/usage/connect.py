"""The Connect page: how a developer's tools reach the pilot, and whether they have."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import DEVELOPERS, allow, signed_in
from apps.catalog.models import CandidateState, Residence
from apps.core.pages import render_page
from apps.core.period_picker import Option
from apps.pilots.forms import KeyForm
from apps.pilots.models import Key, Pilot, Trial
from apps.pilots.queries import enrollment_of, keys_of, pilot_or_404, trials_of
from apps.pilots.refused import refused_today
from apps.usage.clients import Alias, Client, clients
from apps.usage.queries import OUTCOMES, latest_call
from apps.usage.sight import Sight

RESIDENCES: Final = {
    Residence.INSIDE: "stays on our own machines",
    Residence.PRIVATE: "goes to our own cloud account",
    Residence.OUTSIDE: "leaves to another company",
}
# Providers that the clients below can be pointed at: those that speak OpenAI's protocol.
OPENAI_DRIVER: Final = "openai"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where code goes that is sent to an alias."""

    trial: Trial
    host: str
    sentence: str
    is_outside: bool
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Connection:
    """How far a developer has come: no key yet, waiting for the first call, or connected."""

    has_key: bool
    reference: UUID | None = None
    alias: str = ""
    at: datetime | None = None
    is_answered: bool = False
    outcome: str = ""

    @property
    def is_live(self) -> bool:
        return self.reference is not None


@require_safe
@allow(DEVELOPERS)
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """Base URL, key, settings for each client, and where code goes."""
    pilot, now = pilot_or_404(request, slug), timezone.now()
    enrollment = enrollment_of(signed_in(request), pilot)
    keys = list(keys_of(enrollment)) if enrollment else []
    trials = list(trials_of(pilot))
    known = known_clients(pilot, trials)
    chosen = client_named(request.GET.get("client", ""), known)
    context: dict[str, Any] = {"pilot": pilot, "now": now, "base_url": base_url()}
    context |= {"enrollment": enrollment, "keys": keys, "key_form": KeyForm(), "plain": ""}
    context["refused"] = refused_today(keys, now=now)
    context |= {"client": chosen, "tabs": tabs(chosen, known)}
    context |= {"destinations": [destination(trial) for trial in trials]}
    context["is_running"] = pilot.is_running(at=now)
    context["connection"] = connection_of(request, pilot, has_key=has_key_in_force(keys, now))
    page = "usage/connect.html"
    return render_page(request, page, context, fragment=page, zone=pilot.zone_info)


@require_safe
@allow(DEVELOPERS)
def connection(request: HttpRequest, slug: str) -> HttpResponse:
    """The line on top alone: it asks every two seconds until a call has arrived."""
    pilot, now = pilot_or_404(request, slug), timezone.now()
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("connect", pilot.slug)
    enrollment = enrollment_of(signed_in(request), pilot)
    has_key = enrollment is not None and has_key_in_force(keys_of(enrollment), now)
    context = {"pilot": pilot, "connection": connection_of(request, pilot, has_key=has_key)}
    return render(request, "usage/_connection.html", context)


def base_url() -> str:
    return f"{settings.SITE_URL}/v1"


def has_key_in_force(keys: Iterable[Key], now: datetime) -> bool:
    return any(key.revoked_at is None and key.expires_at > now for key in keys)


def connection_of(request: HttpRequest, pilot: Pilot, *, has_key: bool) -> Connection:
    """Tell how far the reader has come."""
    call = latest_call(pilot, signed_in(request).person)
    if call is None:
        return Connection(has_key)
    return Connection(
        has_key,
        Sight(request, pilot).reference(call.id),
        call.alias,
        call.admitted_at,
        call.outcome in ("ok", "client_cancelled"),
        OUTCOMES[call.outcome][0],
    )


def destination(trial: Trial) -> Destination:
    """Say where the code of a call goes."""
    provider = trial.candidate.provider
    residence = Residence(provider.residence)
    return Destination(
        trial,
        f"{provider.name}, {provider.region}" if provider.region else provider.name,
        f"Your code {RESIDENCES[residence]}",
        residence == Residence.OUTSIDE,
        trial.candidate.state != CandidateState.ACTIVE,
    )


def known_clients(pilot: Pilot, trials: list[Trial]) -> list[Client]:
    """Return the clients that reach what is on trial; those that answer now stand first."""
    served = [trial for trial in trials if trial.candidate.provider.driver == OPENAI_DRIVER]
    served.sort(key=lambda trial: trial.candidate.state != CandidateState.ACTIVE)
    aliases = [
        Alias(
            trial.alias,
            trial.candidate.name,
            trial.candidate.fim_template,
            trial.candidate.provider.serves,
        )
        for trial in served
    ]
    return clients(pilot=pilot.name, base_url=base_url(), aliases=aliases)


def client_named(slug: str, known: list[Client]) -> Client | None:
    """Return the client that was asked for, else the first."""
    return next((client for client in known if client.slug == slug), known[0] if known else None)


def tabs(chosen: Client | None, known: list[Client]) -> list[Option]:
    return [
        Option(client.name, f"?client={client.slug}#settings", client is chosen) for client in known
    ]
