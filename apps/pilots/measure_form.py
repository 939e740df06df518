"""The form that says how a pilot decides: a measure for each role, thresholds, what is assumed."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms

from apps.catalog.forms import PLAIN, usd
from apps.catalog.models import Residence
from apps.pilots.models import Goal, Incumbent, Measure, Plan, TieBreak, UseRole
from apps.pilots.plan_defaults import MEASURES, UNITS
from apps.pilots.plan_forms import day, figure, whole
from apps.pilots.plans import Aim

PLAN_FIELDS: Final = (
    "decide_by",
    "tie_break",
    "baseline",
    "residence_most",
    "first_content_ms_most",
    "memory_gb",
    "usd_per_year_most",
    "failed_share_most",
    "upkeep_hours_week_most",
    "calls_per_day",
    "prompt_tokens_per_day",
    "completion_tokens_per_day",
)
# Typed in another unit than they are stored in: so many typed ones are one stored one.
SCALES: Final = {"failed_share_most": Decimal(100), "first_content_ms_most": Decimal("0.001")}
NOT_JUDGED: Final = ""


class MeasuresForm(forms.Form):
    decide_by = day("Decide by", help_text="The winner, or a tie, is called on this day.")
    tie_break = forms.ChoiceField(label="Of those within the margin, take", choices=TieBreak)
    baseline = forms.ModelChoiceField(
        Incumbent.objects.none(),
        label="What the team has already",
        required=False,
        empty_label="nothing that counts",
        help_text="An incumbent is compared, never blind.",
    )
    first_content_ms_most = figure(
        "Answers begin within, seconds", high=600, places=3, required=False
    )
    residence_most = forms.ChoiceField(label="Code may go as far as", choices=Residence)
    memory_gb = whole("Memory you can get, GB", low=1, high=100_000, required=False)
    usd_per_year_most = usd("Money for a year, USD", required=False)
    failed_share_most = figure("Calls that may fail, %", high=100, places=2, required=False)
    upkeep_hours_week_most = figure("Upkeep, hours a week", high=168, places=1, required=False)
    calls_per_day = whole("Calls", low=1, high=100_000)
    prompt_tokens_per_day = whole("Tokens sent", low=0, high=10**12)
    completion_tokens_per_day = whole("Tokens received", low=0, high=10**12)

    def __init__(
        self, *args: Any, plan: Plan, goals: Sequence[Goal], roles: Sequence[str], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.roles = list(roles)
        baseline = self.fields["baseline"]
        assert isinstance(baseline, forms.ModelChoiceField)
        baseline.queryset = plan.pilot.incumbents.filter(removed_at__isnull=True).order_by("name")
        known = {goal.role for goal in goals}
        for role in self.roles:
            choices = [(each.value, each.label) for each in MEASURES[role]]
            if role not in known:
                choices.insert(0, (NOT_JUDGED, "Not judged"))
            self.fields[f"{role}_measure"] = forms.ChoiceField(
                label="Measure", choices=choices, required=role in known
            )
            attrs = PLAIN | {"inputmode": "decimal"}
            for name, label in (("margin", "Margin"), ("least", "Least worth having")):
                self.fields[f"{role}_{name}"] = forms.DecimalField(
                    label=label, required=False, widget=forms.TextInput(attrs=attrs)
                )

    def role_fields(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return for each role its label and its three fields."""
        names = ("measure", "margin", "least")
        return [
            (UseRole(role).label, [self[f"{role}_{name}"] for name in names]) for role in self.roles
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for role in self.roles:
            self._clean_role(role, cleaned)
        if cleaned.get("tie_break") == TieBreak.BASELINE and not cleaned.get("baseline"):
            self.add_error("tie_break", "There is nothing yet: say what the team has already.")
        return cleaned

    def _clean_role(self, role: str, cleaned: dict[str, Any]) -> None:
        measure = cleaned.get(f"{role}_measure")
        if not measure:
            return
        unit = UNITS[Measure(measure)]
        margin, least = cleaned.get(f"{role}_margin"), cleaned.get(f"{role}_least")
        if margin is None:
            cleaned[f"{role}_margin"] = unit.margin
        elif not unit.margin_low <= margin <= unit.margin_high:
            span = f"{unit.margin_low} to {unit.margin_high} {unit.words}"
            self.add_error(f"{role}_margin", f"Give {span}.")
        if least is not None and not unit.low <= least <= unit.high:
            what = "percent" if unit.scale != 1 else unit.words
            self.add_error(f"{role}_least", f"Give {unit.low} to {unit.high}, {what}.")

    def aims(self) -> dict[str, Aim]:
        """Return how each role is judged, in stored units."""
        aims = {}
        for role in self.roles:
            measure = self.cleaned_data[f"{role}_measure"]
            if measure != NOT_JUDGED:
                scale = UNITS[measure].scale
                least: Decimal | None = self.cleaned_data[f"{role}_least"]
                margin = self.cleaned_data[f"{role}_margin"] / scale
                aims[role] = Aim(measure, margin, None if least is None else least / scale)
        return aims

    def plan_fields(self) -> dict[str, Any]:
        """Return the rest in stored units."""
        told: dict[str, Any] = {name: self.cleaned_data[name] for name in PLAN_FIELDS}
        for name, scale in SCALES.items():
            if told[name] is not None:
                told[name] /= scale
        if told["first_content_ms_most"] is not None:
            told["first_content_ms_most"] = int(told["first_content_ms_most"])
        return told


def measures_initial(plan: Plan, goals: Sequence[Goal]) -> dict[str, Any]:
    initial: dict[str, Any] = {name: getattr(plan, name) for name in PLAN_FIELDS}
    for name, scale in SCALES.items():
        if initial[name] is not None:
            initial[name] = plainly(initial[name] * scale)
    for name in ("usd_per_year_most", "upkeep_hours_week_most"):
        if initial[name] is not None:
            initial[name] = plainly(initial[name])
    for goal in goals:
        unit = UNITS[goal.measure]
        initial[f"{goal.role}_measure"] = goal.measure
        initial[f"{goal.role}_margin"] = plainly(goal.margin * unit.scale)
        if goal.least is not None:
            initial[f"{goal.role}_least"] = plainly(goal.least * unit.scale)
    return initial


def plainly(value: Decimal) -> str:
    """Write a number without zeros that say nothing."""
    return f"{value.normalize():f}"
