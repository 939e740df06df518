"""What is stored about a developer: their page, their own copy, and the ways to take it back."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max, Min, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import EVERYONE_SIGNED_IN, allow, signed_in
from apps.accounts.models import Person
from apps.feedback.actions import erase_words, withdraw_all
from apps.feedback.models import Rating
from apps.pilots.models import Key, Pilot
from apps.usage.models import Call

RATINGS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a person's calls in one pilot. Costs are USD paid per token."""

    pilot: str
    slug: str
    calls: int
    first_at: datetime
    last_at: datetime
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal


def stored_calls(person: Person) -> list[Stored]:
    """Return the sums over a person's calls, by pilot."""
    pilots = Pilot.objects.filter(enrollments__person=person).in_bulk()
    sums = (
        Call.objects.filter(person_id=person.id)
        .values("pilot_id")
        .annotate(
            calls=Count("id"),
            first=Min("admitted_at"),
            last=Max("admitted_at"),
            sent=Sum("prompt_tokens", default=0),
            made=Sum("completion_tokens", default=0),
            cost=Sum("cost_usd", default=Decimal(0)),
        )
        .order_by("-last")
    )
    return [
        Stored(
            pilots[row["pilot_id"]].name,
            pilots[row["pilot_id"]].slug,
            row["calls"],
            row["first"],
            row["last"],
            row["sent"],
            row["made"],
            row["cost"],
        )
        for row in sums
    ]


def own_ratings(person: Person) -> list[dict[str, Any]]:
    """Return a person's ratings that count, newest first, with what they said."""
    ratings = Rating.objects.filter(person=person, withdrawn_at__isnull=True)
    rows = ratings.order_by("-updated_at", "-id").values(
        "call_id", "pilot_id", "scale", "score", "tags", "comment", "rated_at", "updated_at"
    )
    slugs = dict(Pilot.objects.filter(enrollments__person=person).values_list("id", "slug"))
    return [row | {"pilot": slugs.get(row.pop("pilot_id"), "")} for row in rows]


@require_safe
@allow(EVERYONE_SIGNED_IN)
def me(request: HttpRequest) -> HttpResponse:
    """Everything that is stored about the reader."""
    user = signed_in(request)
    ratings = own_ratings(user.person)
    keys = Key.objects.filter(enrollment__person=user.person).select_related("enrollment__pilot")
    context: dict[str, Any] = {"stored": stored_calls(user.person), "count": len(ratings)}
    context |= {"ratings": ratings[:RATINGS_SHOWN], "keys": keys.order_by("-created_at", "-id")}
    context["account"] = [
        ("E-mail", user.email),
        ("Name", user.name or None),
        ("Role", user.get_role_display()),
        ("Pseudonym in the records", user.person.pseudonym),
    ]
    return render(request, "feedback/me.html", context)


@require_safe
@allow(EVERYONE_SIGNED_IN)
def me_download(request: HttpRequest) -> HttpResponse:
    """The reader's own copy, as JSON."""
    user = signed_in(request)
    calls = Call.objects.filter(person_id=user.person_id).order_by("admitted_at", "id").values()
    copy = {
        "account": {"email": user.email, "name": user.name, "role": user.role},
        "pseudonym": user.person.pseudonym,
        "calls_by_pilot": [asdict(stored) for stored in stored_calls(user.person)],
        "calls": list(calls),
        "ratings": own_ratings(user.person),
    }
    response = JsonResponse(copy, json_dumps_params={"indent": 1})
    response["Content-Disposition"] = 'attachment; filename="pilotdash-about-me.json"'
    return response


@require_POST
@allow(EVERYONE_SIGNED_IN)
def me_withdraw_ratings(request: HttpRequest) -> HttpResponse:
    withdrawn = withdraw_all(person=signed_in(request).person, now=timezone.now())
    messages.success(request, f"{withdrawn} ratings are withdrawn. The sums follow in a moment.")
    return redirect("me")


@require_POST
@allow(EVERYONE_SIGNED_IN)
def me_erase_words(request: HttpRequest) -> HttpResponse:
    erased = erase_words(person=signed_in(request).person)
    messages.success(request, f"The words of {erased} ratings are erased. Their scores stay.")
    return redirect("me")
