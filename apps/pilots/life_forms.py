"""What is typed about a pilot's life: its turns, its events, its end."""

from datetime import datetime
from typing import Any

from django import forms

from apps.catalog.forms import PLAIN, moment
from apps.catalog.models import Candidate, CandidateState
from apps.pilots.closing import Afterwards, residences_told
from apps.pilots.models import AfterClose, Pilot, Rotation, UseRole
from apps.pilots.queries import trials_of
from apps.pilots.rotations import ALIASES
from apps.pilots.unblinding import REASON_AT_MOST

ANNOUNCED, AT_ONCE = "announced", "at_once"


class ClosingForm(forms.Form):
    """When a pilot ends, and what its keys are answered then. A draft only ends at once."""

    when = forms.ChoiceField(
        label="When",
        choices=[
            (ANNOUNCED, "Announced, at least three days ahead"),
            (AT_ONCE, "At once, with a reason"),
        ],
        widget=forms.RadioSelect,
        initial=ANNOUNCED,
    )
    closes_at = moment("It closes", required=False, help_text="In the pilot’s time zone.")
    reason = forms.CharField(
        label="Reason",
        max_length=REASON_AT_MOST,
        required=False,
        help_text="For closing at once. Stands in the pilot’s log and in the audit trail.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    after_close = forms.ChoiceField(
        label="What keys are answered then",
        choices=AfterClose,
        widget=forms.RadioSelect,
        initial=AfterClose.GONE,
    )
    after_candidate = forms.ModelChoiceField(
        Candidate.objects.none(),
        label="Who answers",
        required=False,
        empty_label="Choose one",
        help_text="The winner, or another that sends code to a class of place people were told of.",
    )
    sentence = forms.CharField(
        label="Sentence",
        max_length=300,
        required=False,
        help_text="What refused calls are told, and the mail says. Empty: that the pilot is over.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, pilot: Pilot, **options: Any) -> None:
        super().__init__(*args, **options)
        self.is_draft = pilot.is_draft
        if pilot.is_draft or pilot.closes_at is not None:
            del self.fields["when"], self.fields["closes_at"]
        if pilot.is_draft:
            for name in ("reason", "after_close", "after_candidate", "sentence"):
                del self.fields[name]
            return
        after = self.fields["after_candidate"]
        assert isinstance(after, forms.ModelChoiceField)
        after.queryset = (
            Candidate.objects.filter(
                provider__residence__in=residences_told(pilot), provider__retired_at__isnull=True
            )
            .exclude(state=CandidateState.RETIRED)
            .order_by("position")
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.is_announced and not cleaned.get("closes_at") and "closes_at" not in self.errors:
            self.add_error("closes_at", "Say when.")
        if not self.is_draft and not self.is_announced and not cleaned.get("reason", "").strip():
            self.add_error("reason", "It takes one: people were promised three days.")
        if cleaned.get("after_close", AfterClose.GONE) != AfterClose.GONE and not cleaned.get(
            "after_candidate"
        ):
            self.add_error("after_candidate", "Say who answers.")
        return cleaned

    @property
    def is_announced(self) -> bool:
        return bool(self.cleaned_data.get("when") == ANNOUNCED)

    @property
    def ends_at(self) -> datetime | None:
        """When it would close; None for at once."""
        closes_at: datetime | None = self.cleaned_data.get("closes_at")
        return closes_at if self.is_announced else None

    @property
    def afterwards(self) -> Afterwards:
        if self.is_draft:
            return Afterwards()
        told = self.cleaned_data
        return Afterwards(told["after_close"], told["after_candidate"], told["sentence"].strip())


class UnblindForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        max_length=REASON_AT_MOST,
        help_text="Stands in the pilot’s log and in the audit trail.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    is_understood = forms.BooleanField(label="I know that this cannot be taken back")


class EventForm(forms.Form):
    text = forms.CharField(
        label="What happened",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "vLLM upgraded"}),
    )
    at = moment("When", required=False, help_text="Empty: now. In the pilot’s time zone.")
    candidate = forms.ModelChoiceField(
        Candidate.objects.none(), label="To which candidate", required=False, empty_label="all"
    )

    def __init__(self, *args: Any, pilot: Pilot, **options: Any) -> None:
        super().__init__(*args, **options)
        candidate = self.fields["candidate"]
        assert isinstance(candidate, forms.ModelChoiceField)
        ever = pilot.trials.values("candidate_id")
        candidate.queryset = Candidate.objects.filter(id__in=ever).order_by("position")


class RotationForm(forms.Form):
    """Who takes turns in a role from today on."""

    role = forms.ChoiceField(label="Role", choices=UseRole)
    candidates = forms.ModelMultipleChoiceField(
        Candidate.objects.none(), label="Who takes turns", widget=forms.CheckboxSelectMultiple
    )
    alias = forms.CharField(
        label="Model name that developers send",
        max_length=63,
        required=False,
        help_text=f"Empty: {', '.join(ALIASES.values())}.",
        widget=forms.TextInput(attrs=PLAIN),
    )

    def __init__(self, *args: Any, pilot: Pilot, **options: Any) -> None:
        super().__init__(*args, **options)
        candidates, role = self.fields["candidates"], self.fields["role"]
        assert isinstance(candidates, forms.ModelMultipleChoiceField)
        assert isinstance(role, forms.ChoiceField)
        on_trial = [trial.candidate_id for trial in trials_of(pilot)]
        candidates.queryset = Candidate.objects.filter(id__in=on_trial).order_by("position")
        taken = set(
            Rotation.objects.filter(pilot=pilot, ended_at__isnull=True).values_list(
                "role", flat=True
            )
        )
        role.choices = [choice for choice in UseRole.choices if choice[0] not in taken]
