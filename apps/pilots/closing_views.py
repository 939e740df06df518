"""Set-up: announcing the end of a pilot, calling it off, or ending it at once."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import ADMINS, allow, signed_in
from apps.accounts.models import User
from apps.pilots import closing
from apps.pilots.closing_preview import preview
from apps.pilots.life_forms import ClosingForm
from apps.pilots.life_refusals import attempt, sentence
from apps.pilots.models import Pilot
from apps.pilots.trail import PilotClosed

SOME_SLACK: Final = timedelta(hours=1)


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def close_pilot(request: HttpRequest, slug: str) -> HttpResponse:
    """A form for the end, then what it will do, then the end."""
    pilot, now = get_object_or_404(Pilot, slug=slug), timezone.now()
    if request.method == "POST" and pilot.closed_at is not None:
        messages.error(request, sentence(PilotClosed()))
        return redirect("close_pilot", slug)
    with timezone.override(pilot.zone_info):
        form = ClosingForm(request.POST or None, pilot=pilot, initial=_initial(pilot, now))
        is_sound = request.method == "POST" and form.is_valid()
        if is_sound and request.POST.get("do") == "close" and _closed(request, pilot, form, now):
            return redirect("setup_pilot", slug)
        steps = _preview(pilot, form) if is_sound and not form.errors else []
        context = {"edited": pilot, "form": form, "steps": steps, "now": now}
        return render(request, "pilots/close_pilot.html", context)


@require_POST
@allow(ADMINS)
def call_off_closing(request: HttpRequest, slug: str) -> HttpResponse:
    pilot = get_object_or_404(Pilot, slug=slug)
    try:
        closing.call_off_closing(pilot=pilot, now=timezone.now(), actor=signed_in(request).person)
    except (PilotClosed, closing.NotAnnounced) as problem:
        messages.error(request, sentence(problem))
    else:
        messages.success(request, "Called off; whoever had been told is told.")
    return redirect("close_pilot", slug)


def _closed(request: HttpRequest, pilot: Pilot, form: ClosingForm, now: datetime) -> bool:
    """Announce it or do it, and say so; False where the form says why not."""
    by: dict[str, Any] = {"pilot": pilot, "now": now, "actor": signed_in(request).person}
    after = form.afterwards
    if form.ends_at is not None:
        by |= {"closes_at": form.ends_at, "after_close": after.after_close}
        by |= {"after_candidate": after.candidate, "sentence": after.sentence}
        done = attempt(form, lambda: closing.announce_closing(**by))
        said = "Announced. Mails go out within a minute."
    else:
        by |= {"reason": form.cleaned_data.get("reason", ""), "afterwards": after}
        done = attempt(form, lambda: closing.close_pilot(**by))
        said = f"{pilot.name} is closed."
    if done is None:
        return False
    messages.success(request, said)
    return True


def _preview(pilot: Pilot, form: ClosingForm) -> list[Any]:
    people = User.objects.filter(
        is_active=True,
        person__enrollments__pilot=pilot,
        person__enrollments__left_at__isnull=True,
    )
    return preview(pilot, closes_at=form.ends_at, afterwards=form.afterwards, people=people.count())


def _initial(pilot: Pilot, now: datetime) -> dict[str, Any]:
    """Three days and an hour from now, on the hour, or when the last day ends; what was chosen
    where it is announced.
    """
    soonest = (now + closing.NOTICE + SOME_SLACK).replace(minute=0, second=0, microsecond=0)
    return {
        "closes_at": timezone.localtime(min(soonest, pilot.period.end)),
        "after_close": pilot.after_close,
        "after_candidate": pilot.after_candidate_id,
        "sentence": pilot.closing_sentence,
    }
