from django import forms

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.periods import Period
from apps.pilots.models import Pilot
from apps.usage.queries import OUTCOMES, CallFilter, name_of, tasks_of


class CallFilterForm(forms.Form):
    """The filters above a list of calls. A filter in a URL is a wish: a bad one is ignored."""

    candidate = forms.ChoiceField(required=False)
    task = forms.ChoiceField(required=False)
    outcome = forms.ChoiceField(
        required=False,
        choices=[("", "Any outcome"), *((key, label) for key, (label, _) in OUTCOMES.items())],
    )
    person = forms.ChoiceField(required=False)

    def __init__(self, params: dict[str, str], *, pilot: Pilot, with_people: bool) -> None:
        super().__init__(params)
        candidates = Candidate.objects.filter(trials__pilot=pilot).distinct().order_by("position")
        self._ids = {candidate.slug: candidate.id for candidate in candidates}
        self._choices(
            "candidate",
            "Any candidate",
            [(candidate.slug, candidate.name) for candidate in candidates],
        )
        self._choices("task", "Any task", [(task, task.capitalize()) for task in tasks_of(pilot)])
        if with_people:
            people = Person.objects.filter(enrollments__pilot=pilot).select_related("user")
            named = [(person.pseudonym, name_of(person)) for person in people]
            self._people = {person.pseudonym: person.id for person in people}
            self._choices("person", "Anyone", sorted(named, key=lambda pair: pair[1].lower()))
        else:
            del self.fields["person"]
        for name, field in self.fields.items():
            field.label = name.capitalize()
            field.widget.attrs["data-autosubmit"] = ""

    def _choices(self, name: str, any_label: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", any_label), *choices]

    def narrowed(self, period: Period, *, person_id: int | None) -> CallFilter:
        """Return the filter; `person_id` is set for someone who may see their own calls only."""
        self.is_valid()
        chosen = self.cleaned_data
        if person_id is None and chosen.get("person"):
            person_id = self._people[chosen["person"]]
        return CallFilter(
            period=period,
            candidate_id=self._ids.get(chosen.get("candidate", "")),
            person_id=person_id,
            task=chosen.get("task", ""),
            outcome=chosen.get("outcome", ""),
        )
