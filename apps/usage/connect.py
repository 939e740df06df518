"""The Connect page: how a developer's tools reach the pilot, and whether they have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import DEVELOPERS, allow, signed_in
from apps.catalog.models import CandidateState
from apps.core.pages import render_page
from apps.core.period_picker import Option
from apps.pilots.forms import KeyForm
from apps.pilots.models import AfterClose, Key, Pilot, Trial
from apps.pilots.queries import enrollment_of, keys_of, pilot_or_404, trials_of
from apps.pilots.refused import refused_today
from apps.usage.clients import Client, clients
from apps.usage.destinations import (
    BlindName,
    alias_of,
    blind_alias,
    blind_destination,
    blind_names,
    destination,
    is_reachable,
    open_trials,
)
from apps.usage.queries import OUTCOMES, latest_call
from apps.usage.sight import Sight


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
    trials, blind = open_trials(pilot, trials_of(pilot)), blind_names(pilot)
    known = known_clients(pilot, trials, blind)
    chosen = client_named(request.GET.get("client", ""), known)
    context: dict[str, Any] = {"pilot": pilot, "now": now, "base_url": base_url()}
    context |= {"enrollment": enrollment, "keys": keys, "key_form": KeyForm(), "plain": ""}
    context["refused"] = refused_today(keys, now=now)
    context |= {"client": chosen, "tabs": tabs(chosen, known)}
    context["destinations"] = [*map(blind_destination, blind), *map(destination, trials)]
    context |= {"is_blind": bool(blind), "alert": alert_of(pilot, now)}
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


def known_clients(
    pilot: Pilot, trials: list[Trial], blind: Sequence[BlindName] = ()
) -> list[Client]:
    """Return the clients that reach what is on trial: blind names, then those that answer now."""
    served = [trial for trial in trials if is_reachable(trial.candidate)]
    served.sort(key=lambda trial: trial.candidate.state != CandidateState.ACTIVE)
    turning = [name for name in blind if all(map(is_reachable, name.arms))]
    aliases = [*map(blind_alias, turning), *map(alias_of, served)]
    return clients(pilot=pilot.name, base_url=base_url(), aliases=aliases)


def alert_of(pilot: Pilot, now: datetime) -> str:
    """Say in a sentence what keys are answered, where that is not what they are for."""
    if pilot.is_running(at=now):
        return ""
    if now < pilot.period.start or pilot.after_close == AfterClose.GONE:
        return "Keys of this pilot are not answered now: it has not begun, or it is over."
    return "The pilot is over. All its model names are answered by one model until your key ends."


def client_named(slug: str, known: list[Client]) -> Client | None:
    """Return the client that was asked for, else the first."""
    return next((client for client in known if client.slug == slug), known[0] if known else None)


def tabs(chosen: Client | None, known: list[Client]) -> list[Option]:
    return [
        Option(client.name, f"?client={client.slug}#settings", client is chosen) for client in known
    ]
