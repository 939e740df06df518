"""The filters above a list of calls. A filter in a URL is a wish: a bad one is ignored."""

from typing import Any

from django import forms

from apps.accounts.models import Person
from apps.accounts.queries import name_of
from apps.catalog.models import Candidate
from apps.core.periods import Period
from apps.gateway.contract import TASKS
from apps.pilots.blindness import hidden_candidates
from apps.pilots.models import Pilot
from apps.usage.queries import FAILED, ONLY, OUTCOMES, CallFilter


class CallFilterForm(forms.Form):
    """What a list of calls is narrowed to; `with_people` only where the reader may know who.

    Without `with_arms` the candidates that take turns blind are not named.
    """

    candidate = forms.ChoiceField(required=False)
    task = forms.ChoiceField(
        required=False, choices=[("", "Any task"), *((task, task.capitalize()) for task in TASKS)]
    )
    outcome = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any outcome"),
            (FAILED, "Any failure"),
            *((key, label) for key, (label, _) in OUTCOMES.items()),
        ],
    )
    only = forms.ChoiceField(
        required=False,
        label="Show",
        choices=[("", "All calls"), *((key, f"Calls {label}") for key, label in ONLY.items())],
    )
    person = forms.ChoiceField(required=False)

    def __init__(
        self, params: dict[str, Any], *, pilot: Pilot, with_people: bool, with_arms: bool
    ) -> None:
        super().__init__(params)
        candidates = Candidate.objects.filter(trials__pilot=pilot).distinct().order_by("position")
        if not with_arms:
            candidates = candidates.exclude(id__in=hidden_candidates(pilot))
        self._candidates = {candidate.slug: candidate.id for candidate in candidates}
        self._people: dict[str, int] = {}
        names = [(candidate.slug, candidate.name) for candidate in candidates]
        self._offer("candidate", "Any candidate", names)
        if with_people:
            people = Person.objects.filter(enrollments__pilot=pilot).select_related("user")
            named = [(person.pseudonym, name_of(person)) for person in people]
            self._people = {person.pseudonym: person.id for person in people}
            self._offer("person", "Anyone", sorted(named, key=lambda pair: pair[1].lower()))
        else:
            del self.fields["person"]
        for field in self.fields.values():
            field.widget.attrs["data-autosubmit"] = ""

    def _offer(self, name: str, any_label: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", any_label), *choices]

    def narrowed(self, period: Period, *, person_id: int | None) -> CallFilter:
        """Return the filter; `person_id` is set for someone who may see their own calls only."""
        self.is_valid()
        chosen = self.cleaned_data
        if person_id is None:
            person_id = self._people.get(chosen.get("person", ""))
        return CallFilter(
            period=period,
            candidate_id=self._candidates.get(chosen.get("candidate", "")),
            person_id=person_id,
            task=chosen.get("task", ""),
            outcome=chosen.get("outcome", ""),
            only=chosen.get("only", ""),
        )

    @property
    def is_narrowing(self) -> bool:
        """Whether anything but the period narrows the list."""
        return any(self.cleaned_data.values())
