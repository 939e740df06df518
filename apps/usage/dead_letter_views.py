"""The page of what could not be stored, for administrators."""

from django.contrib import messages
from django.db import DataError, IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import ADMINS, allow, signed_in
from apps.core.period_picker import Option
from apps.usage import actions
from apps.usage.dead_letters import letter_page, open_count
from apps.usage.incoming import Unstorable
from apps.usage.models import DeadLetter


@require_safe
@allow(ADMINS)
def dead_letters(request: HttpRequest) -> HttpResponse:
    """Records that could not become calls, with the reason."""
    settled = request.GET.get("show") == "settled"
    written = request.GET.get("before", "")
    before = int(written) if written.isascii() and written.isdigit() else None
    page = letter_page(settled=settled, before=before)
    tab = "?show=settled&" if settled else "?"
    context = {"letters": page.letters, "settled": settled, "open_count": open_count()}
    context["older"] = f"{tab}before={page.older}" if page.older else None
    context["newer"] = tab.rstrip("&") if before else None
    context["tabs"] = [
        Option("Open", request.path, not settled),
        Option("Settled", "?show=settled", settled),
    ]
    return render(request, "usage/dead_letters.html", context)


@require_POST
@allow(ADMINS)
def retry_dead_letter(request: HttpRequest, letter_id: int) -> HttpResponse:
    letter = get_object_or_404(DeadLetter, id=letter_id)
    try:
        stored = actions.retry_dead_letter(
            letter=letter, now=timezone.now(), actor=signed_in(request).person
        )
    except (Unstorable, DataError, IntegrityError) as problem:
        reason = str(problem).partition("\n")[0]
        messages.error(request, f"It still cannot be stored: {reason}")
    else:
        words = "The call is stored and counts." if stored else "The call was there already."
        messages.success(request, words)
    return redirect("dead_letters")


@require_POST
@allow(ADMINS)
def settle_dead_letter(request: HttpRequest, letter_id: int) -> HttpResponse:
    letter = get_object_or_404(DeadLetter, id=letter_id)
    if actions.settle_dead_letter(
        letter=letter, now=timezone.now(), actor=signed_in(request).person
    ):
        messages.success(request, "Settled. The record is kept under Settled.")
    return redirect("dead_letters")
