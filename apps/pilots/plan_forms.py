"""What administrators type in the steps of a pilot's plan."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_domain_name

from apps.catalog.forms import PLAIN, SlugForm, usd
from apps.catalog.models import Candidate
from apps.pilots.models import Pilot, Plan, RatingScale, Stage, UseRole
from apps.pilots.origins import NotAnOrigin, checked_origins
from apps.pilots.plan_defaults import PEOPLE_EXPECTED
from apps.pilots.serving import Service

LINK_LASTS_DAYS: Final = 14
TAGS_MOST: Final = 12
# As feedback takes them with a rating.
TAG: Final = re.compile(r"[a-z0-9][a-z0-9 _-]{0,39}")
PULSE: Final = ("trust", "reliance", "usefulness", "time saved")


def day(label: str, **options: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **options)


def whole(label: str, *, low: int, high: int, **options: Any) -> forms.IntegerField:
    widget = forms.NumberInput(attrs=PLAIN)
    return forms.IntegerField(label=label, min_value=low, max_value=high, widget=widget, **options)


def figure(label: str, *, high: int, places: int, **options: Any) -> forms.DecimalField:
    """Make a field for a number with decimals, from nothing to `high`."""
    widget = forms.TextInput(attrs=PLAIN | {"inputmode": "decimal"})
    return forms.DecimalField(
        label=label, min_value=0, max_value=high, decimal_places=places, widget=widget, **options
    )


class BasicsForm(forms.Form):
    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    starts_on = day("First day")
    ends_on = day("Last day", help_text="Four weeks are usual; two are the least for a trial.")
    zone = forms.CharField(
        label="Time zone",
        max_length=64,
        help_text="Days begin at its midnight, such as Europe/Berlin.",
        widget=forms.TextInput(attrs=PLAIN | {"list": "zones"}),
    )
    budget_usd = usd(
        "Budget, USD",
        required=False,
        help_text="For all calls and machines. It warns; limits refuse.",
    )


class DraftForm(SlugForm, BasicsForm):
    field_order = ["name", "slug"]


class CandidatesForm(forms.Form):
    """The stage, and for each role who is to serve it: one list of boxes a role.

    Of a screening that goes on the stage is no question any more.
    """

    stage = forms.ChoiceField(choices=Stage, widget=forms.RadioSelect)
    people_expected = whole(
        "People you expect",
        low=1,
        high=100_000,
        help_text="Sets what the pilot can find out, and what it will cost.",
    )

    def __init__(
        self,
        *args: Any,
        candidates: Sequence[Candidate],
        is_going_on: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        if is_going_on:
            del self.fields["stage"]
        choices = [(str(each.id), each.name) for each in candidates]
        for role in UseRole:
            self.fields[role.value] = forms.MultipleChoiceField(
                label=role.label, choices=choices, required=False
            )
            self.fields[f"{role.value}_blind"] = forms.BooleanField(
                label=f"{role.label} blind", required=False
            )

    def told(self) -> dict[str, Any]:
        """Return what was typed as choose_candidates and go_on_to_trial take it."""
        told = self.cleaned_data
        services = {
            role.value: Service(tuple(map(int, told[role.value])), told[f"{role.value}_blind"])
            for role in UseRole
        }
        names = [name for name in ("stage", "people_expected") if name in told]
        return {name: told[name] for name in names} | {"services": services}


def candidates_initial(pilot: Pilot, plan: Plan, services: Mapping[str, Service]) -> dict[str, Any]:
    initial: dict[str, Any] = {
        "stage": pilot.stage,
        "people_expected": plan.people_expected or PEOPLE_EXPECTED,
    }
    for role in UseRole:
        service = services.get(role.value)
        initial[role.value] = [str(each) for each in service.candidate_ids] if service else []
        initial[f"{role.value}_blind"] = service.is_blind if service else True
    return initial


class PrivacyForm(forms.Form):
    people_named = forms.BooleanField(
        label="Leads see who did what",
        required=False,
        help_text="Otherwise they see sums over five people and more. It cannot be turned on once "
        "somebody takes part: they are told before they join.",
    )
    rating_scale = forms.ChoiceField(
        label="Answers are rated by", choices=RatingScale, widget=forms.RadioSelect
    )
    sample_share = figure(
        "Ask about so many answers, %",
        high=100,
        places=1,
        help_text="Chance picks them. Nobody is asked more than a few times a day.",
    )
    daily_question = forms.CharField(
        label="The daily question",
        max_length=200,
        required=False,
        help_text="Answered from 1 to 5. Empty: our own words.",
    )
    rating_tags = forms.CharField(
        label="Tags of ratings",
        required=False,
        help_text=f"One a line, {TAGS_MOST} at most. Empty: our own.",
        widget=forms.Textarea(attrs=PLAIN | {"rows": 4}),
    )
    widget_origins = forms.CharField(
        label="The rating widget may stand on",
        required=False,
        help_text="Origins, one a line, such as https://tools.example.com. Empty: nowhere.",
        widget=forms.Textarea(attrs=PLAIN | {"rows": 2, "class": "mono"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for place, about in enumerate(PULSE):
            self.fields[f"pulse_{place}"] = forms.CharField(
                label=f"Weekly, about {about}", max_length=200, required=False
            )

    def pulse_fields(self) -> list[forms.BoundField]:
        return [self[f"pulse_{place}"] for place in range(len(PULSE))]

    def has_own_pulse(self) -> bool:
        return any(field.value() for field in self.pulse_fields())

    def clean_rating_tags(self) -> list[str]:
        lines = self.cleaned_data["rating_tags"].lower().splitlines()
        tags = list(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
        if len(tags) > TAGS_MOST:
            raise ValidationError(f"At most {TAGS_MOST}; these are {len(tags)}.")
        if not all(map(TAG.fullmatch, tags)):
            raise ValidationError("A tag is 1 to 40 letters a to z, digits, blanks and dashes.")
        return tags

    def clean_widget_origins(self) -> list[str]:
        try:
            return checked_origins(self.cleaned_data["widget_origins"].split())
        except NotAnOrigin as problem:
            raise ValidationError(str(problem)) from None

    def told(self) -> dict[str, Any]:
        """Return what was typed as choose_privacy takes it."""
        told = {name: self.cleaned_data[name] for name in PrivacyForm.base_fields}
        pulse = [self.cleaned_data[f"pulse_{place}"].strip() for place in range(len(PULSE))]
        return told | {
            "pulse_questions": pulse if any(pulse) else [],
            "sample_share": told["sample_share"] / 100,
        }


def privacy_initial(pilot: Pilot) -> dict[str, Any]:
    names = ("people_named", "rating_scale", "daily_question")
    pulse = [*pilot.pulse_questions, *[""] * len(PULSE)][: len(PULSE)]
    return {name: getattr(pilot, name) for name in names} | {
        "sample_share": f"{(pilot.sample_share * 100).normalize():f}",
        "rating_tags": "\n".join(pilot.rating_tags),
        "widget_origins": "\n".join(pilot.widget_origins),
        **{f"pulse_{place}": text for place, text in enumerate(pulse)},
    }


class JoinLinkForm(forms.Form):
    email_domains = forms.CharField(
        label="Only addresses of",
        required=False,
        max_length=500,
        help_text="Domains apart by commas, such as example.com. Empty: any.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    most_uses = whole("For so many people", low=1, high=10_000)
    days = whole("Works for, days", low=1, high=90, initial=LINK_LASTS_DAYS)

    def clean_email_domains(self) -> list[str]:
        written = re.split(r"[\s,;]+", self.cleaned_data["email_domains"])
        domains = list(dict.fromkeys(word.removeprefix("@").lower() for word in written if word))
        for domain in domains:
            try:
                validate_domain_name(domain)
            except ValidationError:
                raise ValidationError(f"“{domain}” is not a domain.") from None
        return domains

    def told(self) -> dict[str, Any]:
        told = self.cleaned_data
        return {
            "email_domains": told["email_domains"],
            "most_uses": told["most_uses"],
            "lasts": timedelta(days=told["days"]),
        }


class AskToJoinForm(forms.Form):
    """Where mail is set up, an address is all that is asked: its owner gets a link."""

    email = forms.EmailField(
        label="Your e-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
