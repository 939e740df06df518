"""The Rate page: one's own answers, and what one thinks of them."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import DEVELOPERS, allow, signed_in
from apps.accounts.models import User
from apps.core.pages import render_page
from apps.feedback import giving, queries
from apps.pilots.models import Pilot, RatingScale
from apps.pilots.queries import enrollment_of, pilot_or_404
from apps.usage.models import Call


@require_safe
@allow(DEVELOPERS)
def rate(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one's recent answers, the unrated first."""
    pilot, user, now = pilot_or_404(request, slug), signed_in(request), timezone.now()
    context = {
        "pilot": pilot,
        "now": now,
        "is_enrolled": enrollment_of(user, pilot) is not None,
        "is_closed": pilot.closed_at is not None,
        "cards": queries.inbox(person=user.person, pilot=pilot, now=now),
        "progress": queries.progress(person=user.person, pilot=pilot, now=now),
        "has_stars": pilot.rating_scale == RatingScale.STARS,
    }
    return render_page(
        request, "feedback/rate.html", context, fragment="feedback/rate.html", zone=pilot.zone_info
    )


@require_safe
@allow(DEVELOPERS)
def rate_call(request: HttpRequest, slug: str, call_id: UUID) -> HttpResponse:
    """Show one answer of one's own: a page to link to, and the widget alone for htmx."""
    pilot, user, now = pilot_or_404(request, slug), signed_in(request), timezone.now()
    call = _own_call_or_404(user, pilot, call_id)
    card = queries.card(call=call, person=user.person, pilot=pilot, now=now)
    history = queries.history(call_id=call.id, person=user.person)
    context = {"pilot": pilot, "now": now, "card": card, "call": call, "history": history}
    return render_page(
        request,
        "feedback/rate_call.html",
        context,
        fragment="feedback/_widget.html",
        zone=pilot.zone_info,
    )


@require_POST
@allow(DEVELOPERS)
def give_rating(request: HttpRequest, slug: str, call_id: UUID) -> HttpResponse:
    """Store a rating, or the reason for one, and answer with the widget."""
    pilot, user, now = pilot_or_404(request, slug), signed_in(request), timezone.now()
    call = _own_call_or_404(user, pilot, call_id)
    problems = giving.give(
        request.POST, call=call, pilot=pilot, person=user.person, via="page", now=now
    )
    return _answer(request, pilot, call, problems)


@require_POST
@allow(DEVELOPERS)
def withdraw_rating(request: HttpRequest, slug: str, call_id: UUID) -> HttpResponse:
    """Take a rating of one's own back, also after the pilot was closed."""
    pilot, user, now = pilot_or_404(request, slug), signed_in(request), timezone.now()
    call = _own_call_or_404(user, pilot, call_id)
    return _answer(request, pilot, call, giving.withdraw(call=call, person=user.person, now=now))


def _own_call_or_404(user: User, pilot: Pilot, call_id: UUID) -> Call:
    call = queries.call_by_id(call_id)
    if call is None or call.pilot_id != pilot.id or call.person_id != user.person_id:
        raise Http404("no such call of yours")
    return call


def _answer(request: HttpRequest, pilot: Pilot, call: Call, problems: list[str]) -> HttpResponse:
    """Answer htmx with the widget, and a plain form with the page it came from."""
    next_url = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(next_url, allowed_hosts=None):
        next_url = reverse("rate", args=[pilot.slug])
    if not request.htmx:  # type: ignore[attr-defined]
        for problem in problems:
            messages.error(request, problem)
        return redirect(f"{next_url.partition('#')[0]}#call-{call.id}")
    person, now = signed_in(request).person, timezone.now()
    card = queries.card(call=call, person=person, pilot=pilot, now=now)
    context = {"card": card, "now": now, "next_url": next_url, "problems": problems}
    if request.POST.get("inbox"):
        progress = queries.progress(person=person, pilot=pilot, now=now)
        context |= {"inbox": True, "progress": progress}
    return render_page(
        request,
        "feedback/_rated.html",
        context,
        fragment="feedback/_rated.html",
        zone=pilot.zone_info,
    )
