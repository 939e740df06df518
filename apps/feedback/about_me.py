"""What is stored about a person, as their page tells it; see about_answers for what they said."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from apps.accounts.audit import person_subject
from apps.accounts.models import AuditEntry, Person, User
from apps.catalog.models import Candidate
from apps.feedback.models import Rating
from apps.feedback.scales import in_words
from apps.feedback.veil import Veil, with_alias
from apps.pilots.models import Enrollment, Key, Pilot
from apps.usage.models import Call


@dataclass(frozen=True, slots=True)
class StoredCalls:
    """What is stored of a person's calls in one pilot.

    Costs are USD paid per token. Those of blind calls are left out while they would tell who
    answered: `has_blind` says that there are some, `cost_usd` is None where there are no others.
    """

    pilot: str
    slug: str
    calls: int
    first_at: datetime
    last_at: datetime
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal | None
    has_blind: bool


@dataclass(frozen=True, slots=True)
class StoredRating:
    """A rating that counts, with its words; `slug` is the pilot's.

    `candidate` is None where the answer was blind and still is; `alias` was asked for.
    """

    rating: Rating
    candidate: Candidate | None
    alias: str
    words: str
    slug: str


def stored_calls(person: Person) -> list[StoredCalls]:
    """Return the sums over a person's calls by pilot, the latest first. Three queries."""
    rows = list(
        Call.objects.filter(person_id=person.id)
        .values("pilot_id", "alias")
        .annotate(
            calls=Count("id"),
            first=Min("admitted_at"),
            last=Max("admitted_at"),
            sent=Sum("prompt_tokens", default=0),
            made=Sum("completion_tokens", default=0),
            cost=Sum("cost_usd", default=Decimal(0)),
        )
        .order_by("pilot_id", "alias")
    )
    pilots = Pilot.objects.in_bulk({row["pilot_id"] for row in rows})
    veil = Veil(pilots.values())
    by_pilot = defaultdict(list)
    for row in rows:
        by_pilot[row["pilot_id"]].append(row)
    found = [_sums(pilots[pilot_id], by_pilot[pilot_id], veil) for pilot_id in by_pilot]
    return sorted(found, key=lambda stored: stored.last_at, reverse=True)


def _sums(pilot: Pilot, rows: Sequence[Any], veil: Veil) -> StoredCalls:
    told = [row["cost"] for row in rows if not veil.hides(pilot.id, row["alias"])]
    return StoredCalls(
        pilot=pilot.name,
        slug=pilot.slug,
        calls=sum(row["calls"] for row in rows),
        first_at=min(row["first"] for row in rows),
        last_at=max(row["last"] for row in rows),
        prompt_tokens=sum(row["sent"] for row in rows),
        completion_tokens=sum(row["made"] for row in rows),
        cost_usd=sum(told, Decimal(0)) if told else None,
        has_blind=len(told) < len(rows),
    )


def standing_ratings(person: Person) -> QuerySet[Rating]:
    """Return a person's ratings that count, the latest first."""
    ratings = Rating.objects.filter(person=person, withdrawn_at__isnull=True)
    return ratings.order_by("-updated_at", "-id")


def stored_ratings(ratings: QuerySet[Rating]) -> list[StoredRating]:
    """Say in words what ratings say. Four queries."""
    found = list(with_alias(ratings))
    pilots = Pilot.objects.in_bulk({rating.pilot_id for rating in found})
    candidates = Candidate.objects.in_bulk({rating.candidate_id for rating in found})
    veil = Veil(pilots.values())
    stored = []
    for rating in found:
        alias: str | None = rating.alias
        stored.append(
            StoredRating(
                rating=rating,
                candidate=None
                if veil.hides(rating.pilot_id, alias)
                else candidates[rating.candidate_id],
                alias=alias or "",
                words=in_words(rating.score, rating.scale),
                slug=pilots[rating.pilot_id].slug,
            )
        )
    return stored


def keys_of_person(person: Person) -> QuerySet[Key]:
    """Return a person's keys in all pilots, the newest first."""
    keys = Key.objects.filter(enrollment__person=person).select_related("enrollment__pilot")
    return keys.order_by("-created_at", "-id")


def open_pilots(person: Person) -> set[str]:
    """Return the slugs of the pilots that a person takes part in now."""
    taking_part = Enrollment.objects.filter(person=person, left_at__isnull=True)
    return set(taking_part.values_list("pilot__slug", flat=True))


def trail_of(person: Person) -> QuerySet[AuditEntry]:
    """Return what the audit trail says of a person: what they did, and what was done to them."""
    entries = AuditEntry.objects.filter(Q(actor=person) | Q(subject=person_subject(person)))
    return entries.order_by("at", "id")


def account_of(user: User) -> list[tuple[str, Any]]:
    """Return what is stored of the way in. Passwords are kept as a hash that nobody can read."""
    factors = Authenticator.objects.filter(user=user).order_by("id")
    kinds = [factor.get_type_display() for factor in factors]
    single = SocialAccount.objects.filter(user=user).exists()
    return [
        ("E-mail", user.email),
        ("Name", user.name or None),
        ("Role", user.get_role_display()),
        ("Pseudonym in the records", user.person.pseudonym),
        ("Signs in by", "single sign-on" if single else "password, kept as a hash"),
        ("Second factor", ", ".join(kinds) or "none"),
    ]
