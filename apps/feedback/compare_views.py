"""The pages of blind comparison: one's own prompts, and which of two answers is better."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import DEVELOPERS, allow, signed_in
from apps.core.pages import render_page
from apps.core.refusals import Sentences, attempt
from apps.feedback import comparison_queries, comparison_votes, comparisons, contestants
from apps.feedback.compare_forms import PromptForm, VoteForm
from apps.feedback.compare_sending import send
from apps.feedback.models import Comparison
from apps.pilots.models import Pilot, Stage
from apps.pilots.queries import enrollment_of, pilot_or_404

REFUSALS: Final[Sentences] = {
    comparisons.NotOpen: ("", "Nothing is compared blind in this pilot now."),
    comparisons.NotTakingPart: ("", "Only people who take part in the pilot compare."),
    comparisons.OneIsRunning: ("", "The answers to your last prompt are still on their way."),
    comparisons.EnoughForToday: (
        "",
        f"{comparisons.MOST_PER_DAY} comparisons a day are the most. Thank you; go on tomorrow.",
    ),
    comparisons.NotToBeCompared: ("candidates", "Not all of these answer prompts now."),
    contestants.NobodyToCompare: ("", "There are no two candidates to compare now."),
}
VOTE_REFUSALS: Final[dict[type[Exception], str]] = {
    comparison_votes.NotReady: "The answers are not there, so there is nothing to judge.",
    comparison_votes.NoMoreVotes: "Votes no longer change; you can still withdraw yours.",
    comparison_votes.NoVote: "There is no vote to withdraw.",
}


@never_cache
@require_safe
@allow(DEVELOPERS)
def blind(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a prompt, and list what one has compared lately."""
    pilot = _pilot(request, slug)
    return _page(request, pilot, PromptForm(roles=contestants.roles_compared(pilot)))


@require_POST
@allow(DEVELOPERS)
def ask_blind(request: HttpRequest, slug: str) -> HttpResponse:
    """Begin a comparison and show where it stands."""
    pilot, user, now = _pilot(request, slug), signed_in(request), timezone.now()
    form = PromptForm(request.POST, roles=contestants.roles_compared(pilot))
    if form.is_valid():
        asked: Any = form.cleaned_data
        comparison = attempt(
            form,
            lambda: comparisons.compare_blind(pilot=pilot, person=user.person, now=now, **asked),
            REFUSALS,
        )
        if comparison is not None:
            send(comparison, now=now)
            return redirect("blind_comparison", pilot.slug, comparison.id)
    return _page(request, pilot, form)


@never_cache
@require_safe
@allow(DEVELOPERS)
def blind_comparison(request: HttpRequest, slug: str, comparison_id: UUID) -> HttpResponse:
    """Show one comparison of one's own: on its way, failed, or both answers side by side."""
    pilot, now = _pilot(request, slug), timezone.now()
    comparison = _own_or_404(request, pilot, comparison_id)
    context = {
        "pilot": pilot,
        "now": now,
        "shown": comparison_queries.shown(comparison, pilot=pilot, now=now),
    }
    return render_page(
        request,
        "feedback/blind_comparison.html",
        context,
        fragment="feedback/_blind_comparison.html",
        zone=pilot.zone_info,
    )


@require_POST
@allow(DEVELOPERS)
def vote_blind(request: HttpRequest, slug: str, comparison_id: UUID) -> HttpResponse:
    """Store a vote and go on to the next prompt. Who answered stays untold."""
    pilot, now = _pilot(request, slug), timezone.now()
    comparison = _own_or_404(request, pilot, comparison_id)
    form = VoteForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Vote with one of the four buttons.")
        return redirect("blind_comparison", pilot.slug, comparison.id)
    try:
        comparison_votes.vote(comparison=comparison, outcome=form.cleaned_data["outcome"], now=now)
    except tuple(VOTE_REFUSALS) as refusal:
        messages.error(request, VOTE_REFUSALS[type(refusal)])
        return redirect("blind_comparison", pilot.slug, comparison.id)
    messages.success(request, "Your vote counts. Next prompt?")
    return redirect("blind", pilot.slug)


@require_POST
@allow(DEVELOPERS)
def withdraw_blind_vote(request: HttpRequest, slug: str, comparison_id: UUID) -> HttpResponse:
    """Take a vote of one's own back, also after the pilot was closed."""
    pilot, now = _pilot(request, slug), timezone.now()
    comparison = _own_or_404(request, pilot, comparison_id)
    try:
        comparison_votes.withdraw_vote(comparison=comparison, now=now)
    except comparison_votes.NoVote:
        messages.error(request, VOTE_REFUSALS[comparison_votes.NoVote])
    else:
        messages.success(request, "Your vote is withdrawn and counts nowhere.")
    return redirect("blind_comparison", pilot.slug, comparison.id)


def _page(request: HttpRequest, pilot: Pilot, form: PromptForm) -> HttpResponse:
    user, now = signed_in(request), timezone.now()
    context = {
        "pilot": pilot,
        "now": now,
        "form": form,
        "is_enrolled": enrollment_of(user, pilot) is not None,
        "is_running": pilot.is_running(at=now),
        "is_known": pilot.unblinded_at is not None,
        "has_pairs": any(
            contestants.pairs(pilot, role, now=now) for role in contestants.roles_compared(pilot)
        ),
        "recent": comparison_queries.recent(
            pilot=pilot, person=user.person, now=now, is_blind=True
        ),
        "own": comparison_queries.own_votes(pilot=pilot, person=user.person, now=now),
    }
    return render_page(
        request,
        "feedback/blind.html",
        context,
        fragment="feedback/blind.html",
        zone=pilot.zone_info,
    )


def _pilot(request: HttpRequest, slug: str) -> Pilot:
    pilot = pilot_or_404(request, slug)
    if pilot.stage != Stage.TRIAL:
        raise Http404("a screening is not blind")
    return pilot


def _own_or_404(request: HttpRequest, pilot: Pilot, comparison_id: UUID) -> Comparison:
    person = signed_in(request).person
    comparison = comparison_queries.own_comparison(
        comparison_id, pilot=pilot, person=person, is_blind=True
    )
    if comparison is None:
        raise Http404("no such comparison of yours")
    return comparison
