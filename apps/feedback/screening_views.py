"""The pages of the screening: one prompt, several named candidates, their time and cost."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import DEVELOPERS, allow, signed_in
from apps.core.pages import render_page
from apps.core.refusals import attempt
from apps.feedback import comparison_queries, comparison_votes, comparisons, contestants, screening
from apps.feedback.compare_forms import PickForm, SideBySideForm
from apps.feedback.compare_sending import send
from apps.feedback.compare_views import REFUSALS, VOTE_REFUSALS
from apps.feedback.models import Comparison
from apps.pilots.models import Pilot, Stage
from apps.pilots.queries import enrollment_of, pilot_or_404


@never_cache
@require_safe
@allow(DEVELOPERS)
def side_by_side(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a prompt and candidates, and show what came of those before."""
    pilot = _pilot(request, slug)
    return _page(request, pilot, SideBySideForm(candidates=contestants.answering(pilot)))


@require_POST
@allow(DEVELOPERS)
def ask_side_by_side(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask the candidates that were chosen and show where that stands."""
    pilot, user, now = _pilot(request, slug), signed_in(request), timezone.now()
    form = SideBySideForm(request.POST, candidates=contestants.answering(pilot))
    if form.is_valid():
        asked: Any = form.cleaned_data
        comparison = attempt(
            form,
            lambda: comparisons.compare_side_by_side(
                pilot=pilot,
                person=user.person,
                prompt=asked["prompt"],
                candidate_ids=asked["candidates"],
                now=now,
            ),
            REFUSALS,
        )
        if comparison is not None:
            send(comparison, now=now)
            return redirect("screened", pilot.slug, comparison.id)
    return _page(request, pilot, form)


@never_cache
@require_safe
@allow(DEVELOPERS)
def screened(request: HttpRequest, slug: str, comparison_id: UUID) -> HttpResponse:
    """Show one comparison of one's own, with names, times and costs."""
    pilot, now = _pilot(request, slug), timezone.now()
    comparison = _own_or_404(request, pilot, comparison_id)
    context = {
        "pilot": pilot,
        "now": now,
        "shown": screening.screened(comparison, pilot=pilot, now=now),
    }
    return render_page(
        request,
        "feedback/screened.html",
        context,
        fragment="feedback/_screened.html",
        zone=pilot.zone_info,
    )


@require_POST
@allow(DEVELOPERS)
def pick_answer(request: HttpRequest, slug: str, comparison_id: UUID) -> HttpResponse:
    """Store who answered best, or that nobody did."""
    pilot, now = _pilot(request, slug), timezone.now()
    comparison = _own_or_404(request, pilot, comparison_id)
    asked = comparison.answers.order_by("side").values_list("candidate_id", flat=True)
    form = PickForm(request.POST, candidate_ids=list(asked))
    try:
        if not form.is_valid():
            raise comparison_votes.NotShown
        winner_id = form.cleaned_data["winner"]
        comparison_votes.pick(comparison=comparison, winner_id=winner_id, now=now)
    except comparison_votes.NotShown:
        messages.error(request, "Pick one of those who answered, or none.")
    except tuple(VOTE_REFUSALS) as refusal:
        messages.error(request, VOTE_REFUSALS[type(refusal)])
    else:
        messages.success(request, "That is kept. Next prompt?")
        return redirect("side_by_side", pilot.slug)
    return redirect("screened", pilot.slug, comparison.id)


@require_POST
@allow(DEVELOPERS)
def withdraw_pick(request: HttpRequest, slug: str, comparison_id: UUID) -> HttpResponse:
    """Take a choice of one's own back, also after the pilot was closed."""
    pilot, now = _pilot(request, slug), timezone.now()
    comparison = _own_or_404(request, pilot, comparison_id)
    try:
        comparison_votes.withdraw_vote(comparison=comparison, now=now)
    except comparison_votes.NoVote:
        messages.error(request, "There is nothing to withdraw.")
    else:
        messages.success(request, "Your choice is withdrawn and counts nowhere.")
    return redirect("screened", pilot.slug, comparison.id)


def _page(request: HttpRequest, pilot: Pilot, form: SideBySideForm) -> HttpResponse:
    user, now = signed_in(request), timezone.now()
    people = screening.people_screening(pilot)
    sees_all = screening.may_see_everybody(pilot, user.person, is_lead=user.is_lead, people=people)
    context = {
        "pilot": pilot,
        "now": now,
        "form": form,
        "is_enrolled": enrollment_of(user, pilot) is not None,
        "is_running": pilot.is_running(at=now),
        "can_ask": len(form.offered) >= comparisons.LEAST_AT_ONCE,
        "recent": comparison_queries.recent(
            pilot=pilot, person=user.person, now=now, is_blind=False
        ),
        "mine": screening.sums(pilot, person=user.person),
        "everybody": screening.sums(pilot) if sees_all else None,
        "people": len(people),
    }
    return render_page(
        request,
        "feedback/side_by_side.html",
        context,
        fragment="feedback/side_by_side.html",
        zone=pilot.zone_info,
    )


def _pilot(request: HttpRequest, slug: str) -> Pilot:
    pilot = pilot_or_404(request, slug)
    if pilot.stage != Stage.SCREENING:
        raise Http404("names beside answers belong to the screening")
    return pilot


def _own_or_404(request: HttpRequest, pilot: Pilot, comparison_id: UUID) -> Comparison:
    person = signed_in(request).person
    comparison = comparison_queries.own_comparison(
        comparison_id, pilot=pilot, person=person, is_blind=False
    )
    if comparison is None:
        raise Http404("no such comparison of yours")
    return comparison
