"""What is typed or imported of a tool that the team has already."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from apps.catalog.forms import PLAIN, usd
from apps.pilots.incumbent_imports import COUNT_MOST, Unreadable, read_days
from apps.pilots.incumbents import ToolDay

FILE_MOST: Final = 5 * 1024 * 1024


class IncumbentForm(forms.Form):
    name = forms.CharField(
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "GitHub Copilot"}),
    )
    seats = forms.IntegerField(
        min_value=0, max_value=1_000_000, widget=forms.NumberInput(attrs=PLAIN)
    )
    usd_per_seat_month = usd("USD per seat and month")

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


def told(label: str) -> forms.IntegerField:
    """Make a field for a count that may not be known."""
    widget = forms.NumberInput(attrs=PLAIN)
    return forms.IntegerField(
        label=label, required=False, min_value=0, max_value=COUNT_MOST, widget=widget
    )


class DayForm(forms.Form):
    """One day of a tool; what is left empty is not known."""

    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    active_people = told("People who used it")
    shown = told("Completions shown")
    accepted = told("Completions accepted")
    chats = told("Chats")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            if not ToolDay(**cleaned).is_possible:
                self.add_error("accepted", "More than were shown.")
            elif all(cleaned[name] is None for name in cleaned if name != "day"):
                raise ValidationError("Fill in one of the four at least.")
        return cleaned

    def tool_day(self) -> ToolDay:
        return ToolDay(**self.cleaned_data)


class ImportForm(forms.Form):
    """A CSV or GitHub's JSON, as a file or pasted."""

    file = forms.FileField(label="A file", required=False, allow_empty_file=True)
    text = forms.CharField(
        label="Or pasted",
        required=False,
        max_length=FILE_MOST,
        strip=False,
        widget=forms.Textarea(attrs=PLAIN | {"rows": 6, "class": "mono"}),
    )
    days: list[ToolDay]
    source: str

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        file, text = cleaned.get("file"), cleaned.get("text", "")
        if file is not None:
            if file.size > FILE_MOST:
                raise ValidationError("At most 5 MiB at a time.")
            try:
                text = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise ValidationError("The file is not in UTF-8.") from None
        try:
            self.days, self.source = read_days(text)
        except Unreadable as problem:
            raise ValidationError(list(problem.problems)) from None
        return cleaned
