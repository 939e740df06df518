"""Set-up of a pilot's ratings: the tags on offer, and where the widget may stand."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from apps.accounts.access import ADMINS, allow, signed_in
from apps.feedback.rating_settings import change_rating_settings
from apps.feedback.words import MOST_OFFERED, OFFERED_TAGS, BadTag
from apps.pilots.models import Pilot
from apps.pilots.origins import MOST_ORIGINS, NotAnOrigin
from apps.pilots.trail import PilotClosed

CLOSED: Final = "This pilot is closed; nothing in it changes any more."


class RatingSettingsForm(forms.Form):
    """Two lists, one entry a line. Cleaned: lists of texts."""

    rating_tags = forms.CharField(
        label="Tags",
        required=False,
        help_text=f"One a line, at most {MOST_OFFERED}. Empty offers ours: "
        f"{', '.join(OFFERED_TAGS)}.",
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    widget_origins = forms.CharField(
        label="Pages that may show the rating widget",
        required=False,
        help_text=f"Origins, one a line, at most {MOST_ORIGINS}, like https://tools.example.com. "
        "Empty: none.",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none"}),
    )

    def clean_rating_tags(self) -> list[str]:
        return _lines(self.cleaned_data["rating_tags"])

    def clean_widget_origins(self) -> list[str]:
        return _lines(self.cleaned_data["widget_origins"])


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def rating_settings(request: HttpRequest, slug: str) -> HttpResponse:
    pilot = get_object_or_404(Pilot, slug=slug)
    initial = {name: "\n".join(getattr(pilot, name)) for name in ("rating_tags", "widget_origins")}
    is_sent = request.method == "POST"
    form = RatingSettingsForm(request.POST if is_sent else None, initial=initial)
    if form.is_valid():
        told: dict[str, Any] = form.cleaned_data | {
            "actor": signed_in(request).person,
            "now": timezone.now(),
        }
        if _changed(form, pilot, told):
            messages.success(request, "Saved.")
            return redirect("rating_settings", slug)
    return render(request, "feedback/rating_settings.html", {"form": form, "edited": pilot})


def _changed(form: forms.Form, pilot: Pilot, told: dict[str, Any]) -> bool:
    try:
        change_rating_settings(pilot=pilot, **told)
    except BadTag as problem:
        form.add_error("rating_tags", str(problem))
    except NotAnOrigin as problem:
        form.add_error("widget_origins", str(problem))
    except PilotClosed:
        form.add_error(None, CLOSED)
    return form.is_valid()
