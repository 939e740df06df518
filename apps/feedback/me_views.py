"""The page of what is stored about oneself, one's own copy, and the ways to take it back."""

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import EVERYONE_SIGNED_IN, allow, signed_in
from apps.accounts.models import Role
from apps.feedback import about_answers, about_me
from apps.feedback.whole_copy import whole_copy

RATINGS_SHOWN = 30
NOUNS: Final = {
    "ratings": ("rating", "ratings"),
    "days": ("daily answer", "daily answers"),
    "weeks": ("weekly answer", "weekly answers"),
    "votes": ("vote", "votes"),
    about_answers.EVERYTHING: ("answer", "answers"),
}


@require_safe
@allow(EVERYONE_SIGNED_IN)
def me(request: HttpRequest) -> HttpResponse:
    """Everything that is stored about the reader."""
    user = signed_in(request)
    person = user.person
    ratings = about_me.standing_ratings(person)
    context = {
        "account": about_me.account_of(user),
        "stored": about_me.stored_calls(person),
        "ratings": about_me.stored_ratings(ratings[:RATINGS_SHOWN]),
        "count": ratings.count(),
        "answers": [each for each in about_answers.answers_of(person) if each.count],
        "events": about_answers.events_of(person),
        "swaps": about_answers.swaps_of(person),
        "wishes": about_answers.wishes_of(person),
        "keys": about_me.keys_of_person(person),
        "trail_count": about_me.trail_of(person).count(),
        "open_pilots": about_me.open_pilots(person) if user.role != Role.VIEWER else set(),
    }
    return render(request, "feedback/me.html", context)


@require_safe
@allow(EVERYONE_SIGNED_IN)
def me_download(request: HttpRequest) -> HttpResponse:
    """The reader's own copy, as JSON."""
    copy = whole_copy(signed_in(request))
    response = JsonResponse(copy, json_dumps_params={"indent": 1, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="pilotdash-about-me.json"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@allow(EVERYONE_SIGNED_IN)
def me_withdraw(request: HttpRequest, kind: str) -> HttpResponse:
    """Take all answers of a kind back, or of every kind."""
    if kind not in NOUNS:
        raise Http404("no such kind of answer")
    person, now = signed_in(request).person, timezone.now()
    count = about_answers.withdraw_all(kind, person=person, now=now)
    one, many = NOUNS[kind]
    words = f"One {one} is withdrawn" if count == 1 else f"{count} {many} are withdrawn"
    messages.success(request, f"{words}. The sums follow in a moment.")
    return redirect("me")


@require_POST
@allow(EVERYONE_SIGNED_IN)
def me_withdraw_one(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Take one answer back."""
    person, now = signed_in(request).person, timezone.now()
    try:
        about_answers.withdraw_one(kind, key, person=person, now=now)
    except about_answers.NotTheirs:
        raise Http404("no such answer of yours") from None
    messages.success(request, f"The {NOUNS[kind][0]} is withdrawn. The sums follow in a moment.")
    return redirect("me")


@require_POST
@allow(EVERYONE_SIGNED_IN)
def me_erase_words(request: HttpRequest) -> HttpResponse:
    count = about_answers.erase_all_words(person=signed_in(request).person)
    words = "one answer are erased. Its score stays" if count == 1 else None
    words = words or f"{count} answers are erased. Their scores stay"
    messages.success(request, f"The words of {words}.")
    return redirect("me")
