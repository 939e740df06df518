"""Set-up of candidates: registering, prices, machines, pausing and retiring."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import ADMINS, allow, signed_in
from apps.catalog import candidates, costs
from apps.catalog.forms import (
    HOURS,
    TOKENS,
    ChangeCandidateForm,
    ChangePriceForm,
    HostingForm,
    RegisterForm,
    StopForm,
)
from apps.catalog.known_prices import KnownPrice, known_price, source_of
from apps.catalog.models import Candidate, HostingInterval, Provider
from apps.catalog.presets import context_tokens_of, fim_of
from apps.catalog.queries import candidate_rows, hosting_of, prices_of, standing_providers
from apps.catalog.refusals import attempt, sentence

SETTINGS = ("name", "deployment", "context_tokens", "fim_template", "fim_stops", "has_tools")


@require_safe
@allow(ADMINS)
def setup_candidates(request: HttpRequest) -> HttpResponse:
    """Every candidate with what it costs now."""
    context = {"rows": candidate_rows(now=timezone.now()), "providers": standing_providers()}
    return render(request, "catalog/setup_candidates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def register_candidate(request: HttpRequest, slug: str) -> HttpResponse:
    """A form for one model of a provider, prefilled with what is known of ?model=."""
    provider = get_object_or_404(Provider, slug=slug, retired_at=None)
    model, now = request.GET.get("model", "").strip()[:255], timezone.now()
    price = known_price(provider.base_url, model, now=now) if model else None
    form = RegisterForm(
        request.POST or None, provider=provider, initial=_known(provider, model, price)
    )
    if form.is_valid():
        candidate = attempt(form, lambda: _registered(request, form, now))
        if candidate is not None:
            messages.success(request, f"{candidate.name} is registered.")
            return redirect("setup_candidate", candidate.slug)
    context = {"form": form, "provider": provider, "model": model, "price": price}
    return render(request, "catalog/register_candidate.html", context)


@transaction.atomic
def _registered(request: HttpRequest, form: RegisterForm, now: datetime) -> Candidate:
    told = form.cleaned_data
    by: dict[str, Any] = {"actor": signed_in(request).person, "now": now}
    names = (*SETTINGS, "slug", "upstream_model")
    candidate = candidates.register_candidate(
        provider=form.provider, **{name: told[name] for name in names}, **by
    )
    if told["paid_by"] == TOKENS:
        costs.set_price(
            candidate=candidate,
            input_usd_per_mtok=told["input_usd"],
            cached_usd_per_mtok=told["cached_usd"],
            output_usd_per_mtok=told["output_usd"],
            source=source_of(told, form.provider.base_url, told["upstream_model"], now=now),
            **by,
        )
    elif told["paid_by"] == HOURS and told["is_running"]:
        costs.start_hosting(
            candidate=candidate, usd_per_hour=told["usd_per_hour"], count=told["count"], **by
        )
    return candidate


def _known(provider: Provider, model: str, price: KnownPrice | None) -> dict[str, Any]:
    fim = fim_of(model)
    known: dict[str, Any] = {
        "upstream_model": model,
        "name": model.rpartition("/")[2],
        "context_tokens": context_tokens_of(model) if model else None,
        "fim_template": fim.template if fim else "",
        "fim_stops": "\n".join(fim.stops) if fim else "",
        "paid_by": TOKENS if price or provider.residence == "outside" else HOURS,
    }
    return known | (_prices(price) if price else {})


def _prices(known: KnownPrice) -> dict[str, str]:
    return {
        "input_usd": _plain(known.input_usd),
        "cached_usd": _plain(known.cached_usd),
        "output_usd": _plain(known.output_usd),
    }


@require_safe
@allow(ADMINS)
def setup_candidate(request: HttpRequest, slug: str) -> HttpResponse:
    return _candidate_page(request, get_object_or_404(Candidate, slug=slug), {})


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def change_candidate(request: HttpRequest, slug: str) -> HttpResponse:
    candidate = get_object_or_404(Candidate.objects.select_related("provider"), slug=slug)
    initial: dict[str, Any] = {name: getattr(candidate, name) for name in SETTINGS}
    initial["fim_stops"] = "\n".join(candidate.fim_stops)
    initial["fallback"] = candidate.fallback_id
    form = ChangeCandidateForm(request.POST or None, initial=initial, candidate=candidate)
    if (
        form.is_valid()
        and attempt(
            form,
            lambda: candidates.change_candidate(
                candidate=candidate, **form.cleaned_data, **_by(request)
            ),
        )
        is not None
    ):
        messages.success(request, "Saved.")
        return redirect("setup_candidate", slug)
    context = {"form": form, "candidate": candidate}
    return render(request, "catalog/change_candidate.html", context)


@require_POST
@allow(ADMINS)
def set_price(request: HttpRequest, slug: str) -> HttpResponse:
    candidate = get_object_or_404(Candidate, slug=slug)
    form = ChangePriceForm(request.POST)
    if (
        form.is_valid()
        and attempt(
            form,
            lambda: costs.set_price(
                candidate=candidate,
                valid_from=form.cleaned_data["valid_from"],
                source=source_of(
                    form.cleaned_data,
                    candidate.provider.base_url,
                    candidate.upstream_model,
                    now=timezone.now(),
                ),
                **form.prices(),
                **_by(request),
            ),
        )
        is not None
    ):
        messages.success(request, "The price is set.")
        return redirect("setup_candidate", slug)
    return _candidate_page(request, candidate, {"price_form": form})


@require_POST
@allow(ADMINS)
def start_hosting(request: HttpRequest, slug: str) -> HttpResponse:
    candidate = get_object_or_404(Candidate, slug=slug)
    form = HostingForm(request.POST)
    if (
        form.is_valid()
        and attempt(
            form,
            lambda: costs.start_hosting(candidate=candidate, **form.cleaned_data, **_by(request)),
        )
        is not None
    ):
        messages.success(request, "The machines are counted.")
        return redirect("setup_candidate", slug)
    return _candidate_page(request, candidate, {"hosting_form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def change_hosting(request: HttpRequest, slug: str, interval_id: int) -> HttpResponse:
    """Correct when machines ran and what they cost."""
    interval = _interval(slug, interval_id)
    names = ("usd_per_hour", "count", "started_at", "ended_at")
    initial = {name: getattr(interval, name) for name in names}
    initial["usd_per_hour"] = _plain(interval.usd_per_hour)
    form = HostingForm(request.POST or None, initial=initial)
    form.fields["started_at"].required, form.fields["started_at"].help_text = True, ""
    if (
        form.is_valid()
        and attempt(
            form,
            lambda: costs.change_hosting(interval=interval, **form.cleaned_data, **_by(request)),
        )
        is not None
    ):
        messages.success(request, "Corrected; what it cost is computed again.")
        return redirect("setup_candidate", slug)
    context = {"form": form, "candidate": interval.candidate, "interval": interval}
    return render(request, "catalog/change_hosting.html", context)


@require_POST
@allow(ADMINS)
def stop_hosting(request: HttpRequest, slug: str, interval_id: int) -> HttpResponse:
    interval, form, by = _interval(slug, interval_id), StopForm(request.POST), _by(request)
    if (
        form.is_valid()
        and attempt(
            form,
            lambda: costs.stop_hosting(
                interval=interval, ended_at=form.cleaned_data["ended_at"], **by
            ),
        )
        is not None
    ):
        messages.success(request, "The machines are counted no longer.")
        return redirect("setup_candidate", slug)
    return _candidate_page(request, interval.candidate, {"stop_form": form})


@require_POST
@allow(ADMINS)
def change_candidate_state(request: HttpRequest, slug: str) -> HttpResponse:
    """Pause, resume or retire: the button says which."""
    candidate = get_object_or_404(Candidate, slug=slug)
    wanted = {
        "pause": candidates.pause_candidate,
        "resume": candidates.resume_candidate,
        "retire": candidates.retire_candidate,
    }.get(request.POST.get("do", ""))
    if wanted is not None:
        try:
            wanted(candidate=candidate, **_by(request))
        except candidates.CandidateRetired as problem:
            messages.error(request, sentence(problem))
    return redirect("setup_candidate", slug)


def _candidate_page(
    request: HttpRequest, candidate: Candidate, context: dict[str, forms.Form]
) -> HttpResponse:
    """One candidate; a form that was refused stands in the place of a fresh one."""
    now, intervals, prices = timezone.now(), hosting_of(candidate), prices_of(candidate)
    running = next((each for each in intervals if each.ended_at is None), None)
    newest = intervals[0] if intervals else None
    known = known_price(candidate.provider.base_url, candidate.upstream_model, now=now)
    again = {"usd_per_hour": _plain(newest.usd_per_hour), "count": newest.count} if newest else {}
    fresh: dict[str, Any] = {
        "price_form": ChangePriceForm(initial=_prices(known) if known and not prices else None),
        "hosting_form": HostingForm(initial=again),
        "stop_form": StopForm(),
    }
    facts: dict[str, Any] = {"candidate": candidate, "prices": prices, "intervals": intervals}
    facts["running"] = running
    facts["price"] = next((each for each in prices if each.valid_to is None), None)
    facts |= {"known": known, "now": now, "zone": timezone.get_current_timezone_name()}
    return render(request, "catalog/setup_candidate.html", fresh | context | facts)


def _interval(slug: str, interval_id: int) -> HostingInterval:
    intervals = HostingInterval.objects.select_related("candidate__provider")
    return get_object_or_404(intervals, id=interval_id, candidate__slug=slug)


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"actor": signed_in(request).person, "now": timezone.now()}


def _plain(amount: Decimal) -> str:
    """Write an amount as a person would type it: without trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
