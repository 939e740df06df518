"""Set-up of providers."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import ADMINS, allow, signed_in
from apps.catalog import actions
from apps.catalog.models import Provider
from apps.catalog.presets import presets_by_group, provider_presets
from apps.catalog.provider_forms import AddProviderForm, ChangeProviderForm, CredentialForm
from apps.catalog.queries import candidate_rows, provider_rows
from apps.catalog.refusals import attempt, sentence
from apps.catalog.reports import last_test, run_test

MODELS_SHOWN = 50
PRESET_FIELDS = (
    "name",
    "base_url",
    "auth",
    "stream_usage",
    "residence",
    "serves",
    "most_stops",
)
SETTINGS = (*PRESET_FIELDS, "region", "ca_pem")


@require_safe
@allow(ADMINS)
def setup_providers(request: HttpRequest) -> HttpResponse:
    """Every provider, and whether it has a key."""
    return render(request, "catalog/setup_providers.html", {"rows": provider_rows()})


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
@sensitive_post_parameters("credential")
def add_provider(request: HttpRequest) -> HttpResponse:
    """A form, prefilled by the preset that ?preset= names."""
    preset = provider_presets().get(request.GET.get("preset", ""))
    initial = {name: getattr(preset, name) for name in PRESET_FIELDS} if preset else {}
    form = AddProviderForm(request.POST or None, initial=initial)
    if form.is_valid():
        added = attempt(form, lambda: actions.add_provider(**form.cleaned_data, **_by(request)))
        if added is not None:
            messages.success(request, f"{added.name} is added. Test it now.")
            return redirect("setup_provider", added.slug)
    context = {"form": form, "preset": preset, "groups": presets_by_group()}
    return render(request, "catalog/add_provider.html", context)


@require_safe
@allow(ADMINS)
def setup_provider(request: HttpRequest, slug: str) -> HttpResponse:
    """One provider: its settings, its last test, its models and candidates."""
    provider = get_object_or_404(Provider, slug=slug)
    context = _tested(request, provider) | {"credential_form": CredentialForm()}
    return _provider_page(request, provider, context)


@require_POST
@allow(ADMINS)
def run_provider_test(request: HttpRequest, slug: str) -> HttpResponse:
    """Test the connection; htmx gets the result in place, everyone else the page."""
    provider = get_object_or_404(Provider, slug=slug, retired_at=None)
    model = request.POST.get("model", "").strip()[:255]
    run_test(provider, model=model, now=timezone.now())
    if getattr(request, "htmx", None):
        return render(request, "catalog/_provider_test.html", _tested(request, provider))
    return redirect("setup_provider", slug)


@require_safe
@allow(ADMINS)
def provider_models(request: HttpRequest, slug: str) -> HttpResponse:
    """The models of the last test whose names hold ?q=, as a fragment."""
    provider = get_object_or_404(Provider, slug=slug)
    if not getattr(request, "htmx", None):
        return setup_provider(request, slug)
    return render(request, "catalog/_provider_models.html", _tested(request, provider))


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def change_provider(request: HttpRequest, slug: str) -> HttpResponse:
    provider = get_object_or_404(Provider, slug=slug)
    initial = {name: getattr(provider, name) for name in SETTINGS}
    form = ChangeProviderForm(request.POST or None, initial=initial)
    if form.is_valid():
        told, by = form.cleaned_data, _by(request)
        changed = attempt(form, lambda: actions.change_provider(provider=provider, **told, **by))
        if changed is not None:
            if provider.credential and not changed.credential:
                messages.warning(request, "The address has changed, so its key was forgotten.")
            messages.success(request, f"{changed.name} is changed.")
            return redirect("setup_provider", slug)
    context = {"form": form, "provider": provider}
    return render(request, "catalog/change_provider.html", context)


@require_POST
@allow(ADMINS)
@sensitive_post_parameters("credential")
def set_credential(request: HttpRequest, slug: str) -> HttpResponse:
    """Replace a provider's key, or remove it where the button says so."""
    provider = get_object_or_404(Provider, slug=slug)
    form = CredentialForm({"credential": "-"} if "remove" in request.POST else request.POST)
    if form.is_valid():
        credential = "" if "remove" in request.POST else form.cleaned_data["credential"]
        told: dict[str, Any] = {"provider": provider, "credential": credential} | _by(request)
        if attempt(form, lambda: actions.set_credential(**told)) is not None:
            messages.success(request, "The key is replaced." if credential else "Key removed.")
            return redirect("setup_provider", slug)
    context = _tested(request, provider) | {"credential_form": form}
    return _provider_page(request, provider, context)


@require_POST
@allow(ADMINS)
def retire_provider(request: HttpRequest, slug: str) -> HttpResponse:
    provider = get_object_or_404(Provider, slug=slug)
    try:
        actions.retire_provider(provider=provider, **_by(request))
    except (actions.ProviderInUse, actions.ProviderRetired) as problem:
        messages.error(request, sentence(problem))
        return redirect("setup_provider", slug)
    messages.success(request, f"{provider.name} is retired and its key forgotten.")
    return redirect("setup_providers")


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"actor": signed_in(request).person, "now": timezone.now()}


def _provider_page(
    request: HttpRequest, provider: Provider, context: dict[str, Any]
) -> HttpResponse:
    context["rows"] = candidate_rows(now=timezone.now(), provider=provider)
    return render(request, "catalog/setup_provider.html", context)


def _tested(request: HttpRequest, provider: Provider) -> dict[str, Any]:
    """The last test, and the first of its models that match."""
    tested, q = last_test(provider), request.GET.get("q", "").strip()
    models = tested.report.models if tested else ()
    found = [name for name in models if q.lower() in name.lower()]
    return {
        "provider": provider,
        "tested": tested,
        "q": q,
        "models": found[:MODELS_SHOWN],
        "more": max(0, len(found) - MODELS_SHOWN),
        "total": len(models),
    }
