"""What administrators type about candidates and what they cost."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from apps.catalog.models import Candidate, Provider
from apps.catalog.queries import fallbacks_for
from apps.core.money import MONEY_DIGITS, MONEY_PLACES

PLAIN = {"spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}
LATER, TOKENS, HOURS = "later", "tokens", "hours"


def usd(label: str, **options: Any) -> forms.DecimalField:
    """Make a field for an amount of US dollars."""
    return forms.DecimalField(
        label=label,
        min_value=0,
        max_digits=MONEY_DIGITS,
        decimal_places=MONEY_PLACES,
        widget=forms.TextInput(attrs=PLAIN | {"inputmode": "decimal"}),
        **options,
    )


def moment(label: str, **options: Any) -> forms.DateTimeField:
    """Make a field for an instant in the site's time zone."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, widget=widget, **options)


class SlugForm(forms.Form):
    """A name, and a slug made from it where none is typed."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    slug = forms.SlugField(
        max_length=64,
        required=False,
        help_text="Stands in links and reports. Made from the name when left empty.",
        widget=forms.TextInput(attrs=PLAIN),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("slug") and "slug" not in self.errors:
            cleaned["slug"] = slugify(cleaned.get("name", ""))[:64]
            if not cleaned["slug"] and "name" not in self.errors:
                self.add_error("slug", "The name has no letters to make one from.")
        return cleaned


class CandidateSettings(forms.Form):
    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    deployment = forms.CharField(
        max_length=120,
        required=False,
        help_text="How it runs, such as “vLLM, one A100” or “serverless”. Shown under the name.",
    )
    context_tokens = forms.IntegerField(
        label="Context, in tokens", required=False, min_value=1, max_value=2**31 - 1
    )
    fim_template = forms.CharField(
        label="Fill-in-the-middle template",
        required=False,
        max_length=2_000,
        help_text="With {prefix} and {suffix}. Empty: the model does not complete code in place, "
        "or its server renders the prompt.",
        widget=forms.TextInput(attrs=PLAIN | {"class": "mono"}),
        strip=False,
    )
    fim_stops = forms.CharField(
        label="Stop at",
        required=False,
        help_text="One per line.",
        widget=forms.Textarea(attrs=PLAIN | {"rows": 4, "class": "mono"}),
    )
    has_tools = forms.BooleanField(
        label="It calls tools",
        required=False,
        initial=True,
        help_text="Agents need that. A server may have to be told, such as vLLM with "
        "--enable-auto-tool-choice.",
    )

    def clean_fim_stops(self) -> list[str]:
        stops = [line for line in self.cleaned_data["fim_stops"].splitlines() if line.strip()]
        if any(len(stop) > 64 for stop in stops):
            raise ValidationError("A stop has at most 64 characters.")
        return list(dict.fromkeys(stops))


class ChangeCandidateForm(CandidateSettings):
    fallback = forms.ModelChoiceField(
        Candidate.objects.none(),
        label="When it cannot answer, ask",
        required=False,
        empty_label="nobody: the call fails",
        help_text="Tried once, when this one is down or too busy. Only candidates that send code "
        "to the same class of place.",
    )

    def __init__(self, *args: Any, candidate: Candidate, **options: Any) -> None:
        super().__init__(*args, **options)
        fallback = self.fields["fallback"]
        assert isinstance(fallback, forms.ModelChoiceField)
        fallback.queryset = fallbacks_for(candidate)


class PriceForm(forms.Form):
    input_usd = usd("In")
    cached_usd = usd("From cache", required=False)
    output_usd = usd("Out")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("cached_usd") is None and "cached_usd" not in self.errors:
            cleaned["cached_usd"] = cleaned.get("input_usd")
        return cleaned

    def prices(self) -> dict[str, Any]:
        told = self.cleaned_data
        return {
            "input_usd_per_mtok": told["input_usd"],
            "cached_usd_per_mtok": told["cached_usd"],
            "output_usd_per_mtok": told["output_usd"],
        }


class ChangePriceForm(PriceForm):
    valid_from = moment(
        "In force since",
        required=False,
        help_text="Empty: from now on. Calls stored already keep the cost they have.",
    )
    currency = forms.CharField(
        label="Typed in",
        max_length=3,
        min_length=3,
        required=False,
        initial="USD",
        help_text="Another currency needs its rate.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    usd_per_unit = usd("USD for one unit of it", required=False)
    rate_date = forms.DateField(
        label="Rate of", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        cleaned["currency"] = (cleaned.get("currency") or "USD").upper()
        if cleaned["currency"] == "USD":
            cleaned["usd_per_unit"], cleaned["rate_date"] = Decimal(1), None
        elif not cleaned.get("usd_per_unit") or not cleaned.get("rate_date"):
            self.add_error("usd_per_unit", "Give the rate and the day it was read.")
        return cleaned

    def prices(self) -> dict[str, Any]:
        told = self.cleaned_data
        rate = told["usd_per_unit"]
        return {name: amount * rate for name, amount in super().prices().items()} | {
            "currency": told["currency"],
            "usd_per_unit": rate,
            "rate_date": told["rate_date"],
        }


class HostingForm(forms.Form):
    """Machines that run from a moment on, or ran between two."""

    usd_per_hour = usd("USD per hour and machine")
    count = forms.IntegerField(label="Machines", min_value=1, max_value=1_000, initial=1)
    started_at = moment("Started", required=False, help_text="Empty: now.")
    ended_at = moment("Stopped", required=False, help_text="Empty: still running.")


class StopForm(forms.Form):
    ended_at = moment("Stopped", required=False, help_text="Empty: now.")


class RegisterForm(SlugForm, CandidateSettings):
    """A model of a provider, and how it is paid for."""

    upstream_model = forms.CharField(
        label="Model",
        max_length=255,
        help_text="As the provider calls it.",
        widget=forms.TextInput(attrs=PLAIN | {"class": "mono"}),
    )
    paid_by = forms.ChoiceField(
        label="Paid for",
        choices=[
            (TOKENS, "By the token"),
            (HOURS, "By the hour: machines that run for it"),
            (LATER, "Not known yet: its calls count as uncosted"),
        ],
        widget=forms.RadioSelect,
        initial=TOKENS,
    )
    input_usd = usd("In", required=False)
    cached_usd = usd("From cache", required=False)
    output_usd = usd("Out", required=False)
    usd_per_hour = usd("USD per hour and machine", required=False)
    count = forms.IntegerField(
        label="Machines", min_value=1, max_value=1_000, required=False, initial=1
    )
    is_running = forms.BooleanField(
        label="They are running now",
        required=False,
        initial=True,
        help_text="The clock starts at once; otherwise start it on the candidate’s page.",
    )
    field_order = ["upstream_model", "name", "slug", "deployment", "context_tokens"]

    def __init__(self, *args: Any, provider: Provider, **options: Any) -> None:
        super().__init__(*args, **options)
        self.provider = provider

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        needed = {
            TOKENS: ("input_usd", "output_usd"),
            HOURS: ("usd_per_hour", "count"),
        }.get(cleaned.get("paid_by", ""), ())
        for name in needed:
            if cleaned.get(name) is None and name not in self.errors:
                self.add_error(name, "This is needed for the way it is paid.")
        if cleaned.get("cached_usd") is None:
            cleaned["cached_usd"] = cleaned.get("input_usd")
        return cleaned
