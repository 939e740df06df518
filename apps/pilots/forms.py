"""What administrators type about pilots, and developers about their keys."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.forms import InviteForm
from apps.accounts.models import Person
from apps.catalog.forms import PLAIN, usd
from apps.catalog.models import Candidate
from apps.pilots.aliases import alias_for
from apps.pilots.limits import Allowance
from apps.pilots.models import LimitPeriod, Pilot
from apps.pilots.queries import candidates_to_try, people_to_enroll


def count(label: str, *, help_text: str, max_value: int = 10**9) -> forms.IntegerField:
    """Make a field for a whole number that may be left empty."""
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=1,
        max_value=max_value,
        help_text=help_text,
        widget=forms.NumberInput(attrs=PLAIN),
    )


class TrialForm(forms.Form):
    candidate = forms.ModelChoiceField(Candidate.objects.none(), empty_label="Choose one")
    alias = forms.CharField(
        label="Model name that developers send",
        max_length=63,
        required=False,
        widget=forms.TextInput(attrs=PLAIN | {"placeholder": "made from the candidate"}),
    )

    def __init__(self, *args: Any, pilot: Pilot, **options: Any) -> None:
        super().__init__(*args, **options)
        candidate = self.fields["candidate"]
        assert isinstance(candidate, forms.ModelChoiceField)
        candidate.queryset = candidates_to_try(pilot)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("candidate") and not cleaned.get("alias"):
            cleaned["alias"] = alias_for(cleaned["candidate"])
        return cleaned


class EnrollForm(forms.Form):
    """People who sign in already; several at a time."""

    people = forms.ModelMultipleChoiceField(
        Person.objects.none(),
        label="People who sign in already",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, pilot: Pilot, **options: Any) -> None:
        super().__init__(*args, **options)
        people = self.fields["people"]
        assert isinstance(people, forms.ModelMultipleChoiceField)
        people.queryset = people_to_enroll(pilot)
        people.label_from_instance = _told  # type: ignore[method-assign, assignment]


def _told(person: Any) -> str:
    user = person.user
    return f"{user.name} · {user.email}" if user.name else user.email


class InviteToPilotForm(InviteForm):
    """Developers by e-mail: those who sign in already are enrolled, the others invited too."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["role"]


class LimitForm(forms.Form):
    """How much may be used; what is left empty is not limited."""

    requests_per_minute = count(
        "Requests a minute", help_text="Every call counts, failed ones too."
    )
    tokens_per_minute = count(
        "Tokens a minute", help_text="Prompt and answer together.", max_value=10**15
    )
    at_once = count("Calls at once", help_text="Running at the same time.")
    usd = usd(
        "Money, USD",
        required=False,
        help_text="For tokens. Machines paid by the hour are not in it.",
    )
    period = forms.ChoiceField(label="Money is for", choices=LimitPeriod)
    is_hard = forms.TypedChoiceField(
        label="When the money is used up",
        choices=[("yes", "Refuse calls, and say until when"), ("no", "Go on, and tell leads")],
        coerce=lambda choice: choice == "yes",
        widget=forms.RadioSelect,
    )

    def clean_usd(self) -> Decimal | None:
        amount: Decimal | None = self.cleaned_data["usd"]
        if amount == 0:
            raise ValidationError("Nothing at all is no limit: pause it, or revoke the key.")
        return amount

    def allowance(self) -> Allowance:
        return Allowance(**self.cleaned_data)


class KeyForm(forms.Form):
    name = forms.CharField(
        label="What it is for",
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "laptop, Continue", "autocomplete": "off"}),
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if not name.isprintable():
            raise ValidationError("Only what can be printed.")
        return name
