"""What people said about a candidate lately: with ratings, and with the daily question.

Of blind answers neither who said it nor when: that would tell leads whom a person had on a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from apps.accounts.models import Person
from apps.core.periods import Period, day_of
from apps.feedback.models import DailyQuestion, Rating
from apps.metrics.readers import Reader
from apps.pilots.blindness import COMPARED, blind_aliases, is_unblinded
from apps.pilots.models import Pilot, RatingScale
from apps.usage.models import Call

LATEST = 12
LIKED_STARS = 4


@dataclass(frozen=True, slots=True)
class Opinion:
    """One rating or daily answer. `who` is empty unless the pilot names its people.

    `about` says what it is about where that is not one answer. Sealed is what was said blindly:
    pages show neither `at` nor who.
    """

    at: datetime
    score: str
    is_liked: bool
    tags: tuple[str, ...]
    comment: str
    who: str
    about: str = ""
    is_sealed: bool = False


def latest_opinions(
    pilot: Pilot, *, candidate_id: int, period: Period, reader: Reader
) -> list[Opinion]:
    """Return the newest ratings and reasons about a candidate in a period, newest first."""
    found = [
        *_ratings(pilot, candidate_id, period),
        *_reasons(pilot, candidate_id, period, reader),
    ]
    return sorted(found, key=attrgetter("at"), reverse=True)[:LATEST]


def _ratings(pilot: Pilot, candidate_id: int, period: Period) -> list[Opinion]:
    ratings = Rating.objects.filter(
        pilot_id=pilot.id,
        candidate_id=candidate_id,
        withdrawn_at__isnull=True,
        call_admitted_at__gte=period.start,
        call_admitted_at__lt=period.end,
    ).select_related("person__user")
    newest = list(ratings.order_by("-updated_at", "-id")[:LATEST])
    sealed = _sealed(pilot, newest)
    return [
        Opinion(
            at=rating.updated_at,
            score=_score(rating),
            is_liked=rating.score >= (LIKED_STARS if _has_stars(rating) else 1),
            tags=tuple(rating.tags),
            comment=rating.comment,
            who=_who(pilot, rating.person, is_sealed=rating.id in sealed),
            is_sealed=rating.id in sealed,
        )
        for rating in newest
    ]


def _sealed(pilot: Pilot, ratings: Sequence[Rating]) -> set[int]:
    """Return the ratings of calls that nobody may know the answerer of; unknown calls are such."""
    # Comparisons are voted on, not rated.
    hidden = blind_aliases(pilot) - {COMPARED}
    if not hidden:
        return set()
    calls = Call.objects.filter(id__in=[rating.call_id for rating in ratings])
    aliases = dict(calls.values_list("id", "alias"))
    return {each.id for each in ratings if aliases.get(each.call_id) in {*hidden, None}}


def _reasons(pilot: Pilot, candidate_id: int, period: Period, reader: Reader) -> list[Opinion]:
    """Return the reasons that people gave for their day, where enough have answered at all."""
    answered = DailyQuestion.objects.filter(
        pilot_id=pilot.id,
        candidate_id=candidate_id,
        score__isnull=False,
        withdrawn_at__isnull=True,
        day__gte=day_of(period.start, pilot.zone_info),
        day__lt=day_of(period.end, pilot.zone_info),
    )
    if reader.counts_few(answered.values("person").distinct().count()):
        return []
    newest = answered.exclude(reason="").select_related("person__user").order_by("-updated_at")
    found = []
    for each in newest[:LATEST]:
        is_sealed = each.is_blind and not is_unblinded(pilot)
        score, at = each.score or 0, each.updated_at or each.asked_at
        found.append(
            Opinion(
                at=at,
                score=f"{score} of 5",
                is_liked=score >= LIKED_STARS,
                tags=(),
                comment=each.reason,
                who=_who(pilot, each.person, is_sealed=is_sealed),
                about=f"a day of {each.get_role_display().lower()}",
                is_sealed=is_sealed,
            )
        )
    return found


def _has_stars(rating: Rating) -> bool:
    return rating.scale == RatingScale.STARS


def _score(rating: Rating) -> str:
    return f"{rating.score} of 5" if _has_stars(rating) else ("up" if rating.score else "down")


def _who(pilot: Pilot, person: Person, *, is_sealed: bool) -> str:
    if not pilot.people_named or is_sealed:
        return ""
    user = getattr(person, "user", None)
    return user.display_name if user else ""
