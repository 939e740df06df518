"""A person's own copy of everything that is stored about them.

Of blind answers it leaves out what would tell who gave them; it has that too once it may be known.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db.models import QuerySet

from apps.accounts.models import Invitation, Person, User
from apps.feedback.about_me import keys_of_person, stored_calls, trail_of
from apps.feedback.comparison_copy import comparisons_of
from apps.feedback.models import (
    AskPreference,
    DailyQuestion,
    DailyRevision,
    IdeEvent,
    PulseAnswer,
    Rating,
    RatingRevision,
    SampledAnswer,
    WaitingRating,
)
from apps.feedback.veil import Veil, with_alias
from apps.pilots.models import Enrollment, Pilot, Swap
from apps.usage.models import Call

Row = dict[str, Any]
# Names who answered.
TELLING: Final = ("candidate_id", "assigned_id", "chosen_id")


def whole_copy(user: User) -> Row:
    """Return everything that is stored about a user and their person, but secrets."""
    person = user.person
    veil = Veil(Pilot.objects.all())
    return {
        "account": _account(user),
        "pseudonym": person.pseudonym,
        "invitations": _rows(
            Invitation.objects.filter(person=person), "email", "role", "created_at", "accepted_at"
        ),
        "pilots": _rows(
            Enrollment.objects.filter(person=person), "pilot__slug", "enrolled_at", "left_at"
        ),
        "how_i_want_to_be_asked": _rows(
            AskPreference.objects.filter(enrollment__person=person),
            *("enrollment__pilot__slug", "channel", "hour", "webhook_hint", "changed_at"),
        ),
        "keys": _rows(
            keys_of_person(person),
            *("id", "name", "hint", "enrollment__pilot__slug"),
            *("created_at", "expires_at", "revoked_at"),
        ),
        "calls_by_pilot": [asdict(stored) for stored in stored_calls(person)],
        "calls": [
            veil.told(call)
            for call in Call.objects.filter(person_id=person.id)
            .order_by("admitted_at", "id")
            .values()
        ],
        **_said(person, veil),
        "events_of_my_editor": _veiled(_rows(IdeEvent.objects.filter(person=person)), veil),
        "candidates_i_sent_away_for_a_day": _swaps(person, veil),
        "audit_trail": list(trail_of(person).values("at", "action", "subject", "detail")),
    }


def _account(user: User) -> Row:
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "joined_at": user.date_joined,
        "last_sign_in_at": user.last_login,
        "second_factors": _rows(
            Authenticator.objects.filter(user=user), "type", "created_at", "last_used_at"
        ),
        "single_sign_on": _rows(
            SocialAccount.objects.filter(user=user), "provider", "uid", "extra_data"
        ),
    }


def _said(person: Person, veil: Veil) -> Row:
    """Return all that a person was asked and has said, with what they said before."""
    ratings = _rows(with_alias(Rating.objects.filter(person=person)))
    for rating in ratings:
        rating["is_blind"] = veil.hides(rating["pilot_id"], rating["alias"])
    return {
        "ratings": _veiled(ratings, veil),
        "earlier_ratings": _rows(RatingRevision.objects.filter(rating__person=person)),
        "ratings_waiting_for_their_call": _rows(WaitingRating.objects.filter(person=person)),
        "answers_picked_by_chance": _rows(SampledAnswer.objects.filter(person=person)),
        "daily_questions": _veiled(_rows(DailyQuestion.objects.filter(person=person)), veil),
        "earlier_daily_answers": _rows(DailyRevision.objects.filter(question__person=person)),
        "weekly_answers": _rows(PulseAnswer.objects.filter(person=person)),
        "comparisons": comparisons_of(person),
    }


def _swaps(person: Person, veil: Veil) -> list[Row]:
    swaps = _rows(
        Swap.objects.filter(person=person),
        *("rotation__pilot_id", "rotation__alias", "day", "assigned_id", "chosen_id", "at"),
    )
    return [_without(swap) if veil.is_down(swap["rotation__pilot_id"]) else swap for swap in swaps]


def _veiled(rows: Iterable[Row], veil: Veil) -> list[Row]:
    return [
        _without(row) if row["is_blind"] and veil.is_down(row["pilot_id"]) else row for row in rows
    ]


def _without(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in TELLING}


def _rows(rows: QuerySet[Any], *names: str) -> list[Row]:
    return list(rows.order_by("id").values(*names))
