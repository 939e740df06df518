"""A pilot's log: what happened to it, for all who take part; leads write into it."""

from datetime import datetime
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import AGGREGATES, EVERYONE_SIGNED_IN, LEADS, allow, signed_in
from apps.pilots import events
from apps.pilots.life_forms import EventForm
from apps.pilots.life_refusals import attempt, sentence
from apps.pilots.models import Pilot, PilotEvent
from apps.pilots.queries import pilot_or_404

REFUSALS: Final = (events.NotTyped,)


@require_http_methods(["GET", "HEAD", "POST"])
@allow(EVERYONE_SIGNED_IN)
def pilot_log(request: HttpRequest, slug: str) -> HttpResponse:
    """What happened, newest first; developers see nothing of candidates while they are blind."""
    pilot, now, user = pilot_or_404(request, slug), timezone.now(), signed_in(request)
    with timezone.override(pilot.zone_info):
        form = EventForm(request.POST or None, pilot=pilot)
        if request.method == "POST" and user.role not in LEADS:
            raise PermissionDenied
        if form.is_valid() and _added(request, pilot, form, now):
            return redirect("pilot_log", slug)
        found = events.newest_events(pilot)
        if user.role not in AGGREGATES:
            found = events.without_arms(pilot, found)
        context = {"pilot": pilot, "now": now, "events": found, "form": form}
        context |= {"may_write": user.role in LEADS, "sees_all": user.role in AGGREGATES}
        return render(request, "pilots/pilot_log.html", context)


@require_POST
@allow(LEADS)
def remove_event(request: HttpRequest, slug: str, event_id: int) -> HttpResponse:
    """Take out what somebody typed: leads their own, administrators anybody's."""
    pilot, user = pilot_or_404(request, slug), signed_in(request)
    typed = PilotEvent.objects.select_related("pilot").filter(pilot=pilot)
    if not user.is_admin:
        typed = typed.filter(actor=user.person)
    event = get_object_or_404(typed, id=event_id)
    try:
        events.remove_event(event=event, now=timezone.now(), actor=user.person)
    except REFUSALS as problem:
        messages.error(request, sentence(problem))
    else:
        messages.success(request, "Removed from the log.")
    return redirect("pilot_log", slug)


def _added(request: HttpRequest, pilot: Pilot, form: EventForm, now: datetime) -> bool:
    told, actor = form.cleaned_data, signed_in(request).person
    text, at, candidate = " ".join(told["text"].split()), told["at"] or now, told["candidate"]
    done = attempt(
        form,
        lambda: events.add_event(
            pilot=pilot, text=text, at=at, candidate=candidate, now=now, actor=actor
        ),
    )
    if done is not None:
        messages.success(request, "It stands in the log, and in charts.")
    return done is not None
