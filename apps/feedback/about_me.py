"""What is stored about a person: the facts of their page, and their own copy of everything."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from apps.accounts.audit import person_subject
from apps.accounts.models import AuditEntry, Invitation, Person, User
from apps.catalog.models import Candidate
from apps.feedback.models import Rating, RatingRevision, WaitingRating
from apps.feedback.scales import in_words
from apps.pilots.models import Enrollment, Key, Pilot
from apps.usage.models import Call


@dataclass(frozen=True, slots=True)
class StoredCalls:
    """What is stored of a person's calls in one pilot. Costs are USD paid per token."""

    pilot: str
    slug: str
    calls: int
    first_at: datetime
    last_at: datetime
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class StoredRating:
    """A rating that counts, with its words; `slug` is the pilot's."""

    rating: Rating
    candidate: Candidate
    words: str
    slug: str


def stored_calls(person: Person) -> list[StoredCalls]:
    """Return the sums over a person's calls by pilot, the latest first."""
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
        .order_by("-last", "pilot_id")
    )
    pilots = Pilot.objects.in_bulk({row["pilot_id"] for row in sums})
    return [
        StoredCalls(
            pilot=pilots[row["pilot_id"]].name,
            slug=pilots[row["pilot_id"]].slug,
            calls=row["calls"],
            first_at=row["first"],
            last_at=row["last"],
            prompt_tokens=row["sent"],
            completion_tokens=row["made"],
            cost_usd=row["cost"],
        )
        for row in sums
    ]


def standing_ratings(person: Person) -> QuerySet[Rating]:
    """Return a person's ratings that count, the latest first."""
    ratings = Rating.objects.filter(person=person, withdrawn_at__isnull=True)
    return ratings.order_by("-updated_at", "-id")


def stored_ratings(ratings: Iterable[Rating]) -> list[StoredRating]:
    """Say in words what ratings say."""
    found = list(ratings)
    pilots = Pilot.objects.in_bulk({rating.pilot_id for rating in found})
    candidates = Candidate.objects.in_bulk({rating.candidate_id for rating in found})
    return [
        StoredRating(
            rating,
            candidates[rating.candidate_id],
            in_words(rating.score, rating.scale),
            pilots[rating.pilot_id].slug,
        )
        for rating in found
    ]


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


def whole_copy(user: User) -> dict[str, Any]:
    """Return everything that is stored about a user and their person, but secrets."""
    person = user.person
    revisions = RatingRevision.objects.filter(rating__person=person).order_by("id")
    return {
        "account": {
            "email": user.email,
            "name": user.name,
            "role": user.role,
            "joined_at": user.date_joined,
            "last_sign_in_at": user.last_login,
            "second_factors": _values(
                Authenticator.objects.filter(user=user), "type", "created_at", "last_used_at"
            ),
            "single_sign_on": _values(
                SocialAccount.objects.filter(user=user), "provider", "uid", "extra_data"
            ),
        },
        "pseudonym": person.pseudonym,
        "invitations": _values(
            Invitation.objects.filter(person=person), "email", "role", "created_at", "accepted_at"
        ),
        "pilots": _values(
            Enrollment.objects.filter(person=person), "pilot__slug", "enrolled_at", "left_at"
        ),
        "keys": _values(
            keys_of_person(person),
            *("id", "name", "hint", "enrollment__pilot__slug"),
            *("created_at", "expires_at", "revoked_at"),
        ),
        "calls_by_pilot": [asdict(stored) for stored in stored_calls(person)],
        "calls": list(
            Call.objects.filter(person_id=person.id).order_by("admitted_at", "id").values()
        ),
        "ratings": _values(Rating.objects.filter(person=person)),
        "earlier_ratings": list(revisions.values()),
        "ratings_waiting_for_their_call": _values(WaitingRating.objects.filter(person=person)),
        "audit_trail": list(trail_of(person).values("at", "action", "subject", "detail")),
    }


def _values(rows: QuerySet[Any], *names: str) -> list[dict[str, Any]]:
    return list(rows.order_by("id").values(*names))
