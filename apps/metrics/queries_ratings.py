"""What people said about a candidate lately."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.core.periods import Period
from apps.feedback.models import Rating
from apps.pilots.models import Pilot, RatingScale

LATEST = 12
LIKED_STARS = 4


@dataclass(frozen=True, slots=True)
class Opinion:
    """One rating. `who` is empty unless the pilot names its people."""

    call_id: UUID
    at: datetime
    score: str
    is_liked: bool
    tags: tuple[str, ...]
    comment: str
    who: str


def latest_ratings(pilot: Pilot, *, candidate_id: int, period: Period) -> list[Opinion]:
    """Return the newest ratings of a candidate's calls in a period, newest first."""
    ratings = Rating.objects.filter(
        pilot_id=pilot.id,
        candidate_id=candidate_id,
        withdrawn_at__isnull=True,
        call_admitted_at__gte=period.start,
        call_admitted_at__lt=period.end,
    ).order_by("-updated_at", "-id")
    if pilot.people_named:
        ratings = ratings.select_related("person__user")
    return [_opinion(rating, named=pilot.people_named) for rating in ratings[:LATEST]]


def _opinion(rating: Rating, *, named: bool) -> Opinion:
    stars = rating.scale == RatingScale.STARS
    user = getattr(rating.person, "user", None) if named else None
    return Opinion(
        call_id=rating.call_id,
        at=rating.updated_at,
        score=f"{rating.score} of 5" if stars else ("up" if rating.score else "down"),
        is_liked=rating.score >= LIKED_STARS if stars else bool(rating.score),
        tags=tuple(rating.tags),
        comment=rating.comment,
        who=user.display_name if user else "",
    )
