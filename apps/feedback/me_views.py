"""The page of what is stored about oneself, one's own copy, and the ways to take it back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import EVERYONE_SIGNED_IN, allow, signed_in
from apps.accounts.models import Role
from apps.feedback import about_me
from apps.feedback.actions import erase_words, withdraw_all

RATINGS_SHOWN = 30


@require_safe
@allow(EVERYONE_SIGNED_IN)
def me(request: HttpRequest) -> HttpResponse:
    """Everything that is stored about the reader."""
    user = signed_in(request)
    ratings = about_me.standing_ratings(user.person)
    context = {
        "account": about_me.account_of(user),
        "stored": about_me.stored_calls(user.person),
        "ratings": about_me.stored_ratings(ratings[:RATINGS_SHOWN]),
        "count": ratings.count(),
        "keys": about_me.keys_of_person(user.person),
        "trail_count": about_me.trail_of(user.person).count(),
        "open_pilots": about_me.open_pilots(user.person) if user.role != Role.VIEWER else set(),
    }
    return render(request, "feedback/me.html", context)


@require_safe
@allow(EVERYONE_SIGNED_IN)
def me_download(request: HttpRequest) -> HttpResponse:
    """The reader's own copy, as JSON."""
    copy = about_me.whole_copy(signed_in(request))
    response = JsonResponse(copy, json_dumps_params={"indent": 1, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="pilotdash-about-me.json"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@allow(EVERYONE_SIGNED_IN)
def me_withdraw_ratings(request: HttpRequest) -> HttpResponse:
    count = withdraw_all(person=signed_in(request).person, now=timezone.now())
    words = "One rating is withdrawn" if count == 1 else f"{count} ratings are withdrawn"
    messages.success(request, f"{words}. The sums follow in a moment.")
    return redirect("me")


@require_POST
@allow(EVERYONE_SIGNED_IN)
def me_erase_words(request: HttpRequest) -> HttpResponse:
    count = erase_words(person=signed_in(request).person)
    words = "one rating are erased. Its score stays" if count == 1 else None
    words = words or f"{count} ratings are erased. Their scores stay"
    messages.success(request, f"The tags and comments of {words}.")
    return redirect("me")
