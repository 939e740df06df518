from collections.abc import Sequence
from typing import Any

from django import forms

from apps.catalog.models import Candidate
from apps.feedback.comparisons import LEAST_AT_ONCE, LONGEST_PROMPT, MOST_AT_ONCE
from apps.feedback.models import Outcome
from apps.pilots.models import UseRole


class PromptForm(forms.Form):
    """A prompt of one's own. `role` is asked only where there is a choice."""

    prompt = forms.CharField(
        label="Your prompt",
        max_length=LONGEST_PROMPT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "data-ctrl-enter-sends": True, "autofocus": True}),
        error_messages={
            "required": "Paste or write a prompt first.",
            "max_length": f"A prompt has at most {LONGEST_PROMPT:,} characters.",
        },
    )

    def __init__(self, *args: Any, roles: Sequence[UseRole], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._only = roles[0]
        if len(roles) > 1:
            choices = [(role, role.label) for role in roles]
            self.fields["role"] = forms.ChoiceField(
                label="What it is for", choices=choices, initial=roles[0], widget=forms.RadioSelect
            )

    def clean_prompt(self) -> str:
        prompt: str = self.cleaned_data["prompt"].replace("\r\n", "\n")
        if not prompt.strip():
            raise forms.ValidationError("Paste or write a prompt first.")
        return prompt

    def clean(self) -> dict[str, Any]:
        return {"role": self._only} | self.cleaned_data


class VoteForm(forms.Form):
    """A press of one of the four buttons."""

    outcome = forms.ChoiceField(choices=Outcome.choices)


class SideBySideForm(PromptForm):
    """A prompt and the candidates to ask."""

    candidates = forms.TypedMultipleChoiceField(
        label="Candidates",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text=f"{LEAST_AT_ONCE} to {MOST_AT_ONCE} at once.",
        error_messages={"required": "Choose at least two candidates."},
    )

    def __init__(self, *args: Any, candidates: Sequence[Candidate], **kwargs: Any) -> None:
        super().__init__(*args, roles=[UseRole.CHAT], **kwargs)
        self.offered = candidates
        field = self.fields["candidates"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(each.id, each.name) for each in candidates]
        field.initial = [each.id for each in candidates[:MOST_AT_ONCE]]

    def clean_candidates(self) -> list[int]:
        chosen: list[int] = self.cleaned_data["candidates"]
        if not LEAST_AT_ONCE <= len(chosen) <= MOST_AT_ONCE:
            raise forms.ValidationError(
                f"Choose {LEAST_AT_ONCE} to {MOST_AT_ONCE} candidates; you chose {len(chosen)}."
            )
        return chosen


class PickForm(forms.Form):
    """Who answered best: a candidate, or nobody."""

    winner = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, candidate_ids: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["winner"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [("", "None"), *((each, str(each)) for each in candidate_ids)]
