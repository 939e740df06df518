"""Reads around ratings. A developer sees what they themselves did, and nobody else's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.periods import DAY, Period, day_of, start_of_day
from apps.feedback.cards import Given, RatingCard
from apps.feedback.models import Rating
from apps.feedback.scales import LIKED_FROM, in_words, is_liked, rating_of
from apps.pilots.models import Pilot
from apps.usage.models import Call

# Longer ago than this nobody knows what the answer was.
RECENT: Final = timedelta(days=7)
INBOX: Final = 20
# So many ratings a day are asked for; more are welcome.
ASKED_PER_DAY: Final = 8
# Fewer raters than this could be told apart by what is left when one's own share is taken away.
LEAST_RATERS: Final = 5


@dataclass(frozen=True, slots=True)
class Progress:
    """Ratings given today against the few that are asked for."""

    rated: int
    asked: int

    @property
    def is_done(self) -> bool:
        return self.rated >= self.asked


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One's own ratings of one candidate."""

    candidate: str
    position: int
    rated: int
    liked: int


@dataclass(frozen=True, slots=True)
class Votes:
    """One's own ratings in a pilot; `everyone` is None while too few people have rated."""

    rows: list[VoteRow]
    mine: int
    everyone: int | None


def call_by_id(call_id: UUID) -> Call | None:
    """Return a stored call, whoever made it."""
    return Call.objects.filter(id=call_id).first()


def own_rateable_calls(*, person: Person, pilot: Pilot) -> QuerySet[Call]:
    """Return a person's calls in a pilot that can be rated, in no order."""
    return Call.objects.filter(pilot_id=pilot.id, person_id=person.id, rateable=True)


def last_rateable(*, person: Person, pilot: Pilot) -> Call | None:
    """Return a person's newest rateable call in a pilot."""
    calls = own_rateable_calls(person=person, pilot=pilot)
    return calls.order_by("-admitted_at", "-id").first()


def rating_of_call(*, call_id: UUID, person: Person) -> Rating | None:
    """Return a person's rating of a call, unless it was withdrawn."""
    return Rating.objects.filter(call_id=call_id, person=person, withdrawn_at__isnull=True).first()


def inbox(*, person: Person, pilot: Pilot, now: datetime, limit: int = INBOX) -> list[RatingCard]:
    """Return a person's recent rateable calls: what was never rated first, then newest first."""
    handled = Rating.objects.filter(call_id=OuterRef("id"), person=person)
    calls = (
        own_rateable_calls(person=person, pilot=pilot)
        .filter(admitted_at__gte=now - RECENT)
        .annotate(is_handled=Exists(handled))
        .order_by("is_handled", "-admitted_at", "-id")[:limit]
    )
    return cards(calls, person=person, pilot=pilot, now=now)


def card(*, call: Call, person: Person, pilot: Pilot, now: datetime) -> RatingCard:
    """Return one call of a person as the widget shows it."""
    return cards([call], person=person, pilot=pilot, now=now)[0]


def cards(
    calls: Iterable[Call], *, person: Person, pilot: Pilot, now: datetime
) -> list[RatingCard]:
    """Return a person's own calls as the widget shows them, in their order. Two queries."""
    calls = list(calls)
    ratings = {
        rating.call_id: rating
        for rating in Rating.objects.filter(
            person=person, call_id__in=[call.id for call in calls]
        ).order_by("id")
    }
    candidates = Candidate.objects.in_bulk({call.candidate_id for call in calls})
    is_closed = pilot.closed_at is not None and pilot.closed_at <= now
    found = []
    for call in calls:
        rating, candidate = ratings.get(call.id), candidates[call.candidate_id]
        found.append(
            RatingCard(
                call_id=call.id,
                pilot_slug=pilot.slug,
                at=call.admitted_at,
                alias=call.alias,
                candidate=candidate.name,
                position=candidate.position,
                task=call.task,
                length=call.completion_tokens,
                total_ms=call.total_ms,
                scale=pilot.rating_scale,
                is_open=call.rateable and not is_closed,
                given=_given(rating),
                is_withdrawn=rating is not None and rating.withdrawn_at is not None,
            )
        )
    return found


def _given(rating: Rating | None) -> Given | None:
    if rating is None or rating.withdrawn_at is not None:
        return None
    return Given(
        rating=str(rating_of(rating.score, rating.scale)),
        words=in_words(rating.score, rating.scale),
        is_liked=is_liked(rating.score, rating.scale),
        tags=tuple(rating.tags),
        comment=rating.comment,
        at=rating.updated_at,
    )


def progress(*, person: Person, pilot: Pilot, now: datetime) -> Progress:
    """Return how many of today's few ratings are given; today is the pilot's. Two queries."""
    today = day_of(now, pilot.zone_info)
    day = Period(start_of_day(today, pilot.zone_info), start_of_day(today + DAY, pilot.zone_info))
    rated = Rating.objects.filter(
        person=person,
        pilot_id=pilot.id,
        withdrawn_at__isnull=True,
        rated_at__gte=day.start,
        rated_at__lt=day.end,
    ).count()
    handled = Rating.objects.filter(call_id=OuterRef("id"), person=person)
    unrated = (
        own_rateable_calls(person=person, pilot=pilot)
        .filter(~Exists(handled), admitted_at__gte=now - RECENT)
        .order_by()[:ASKED_PER_DAY]
        .count()
    )
    return Progress(rated=rated, asked=min(ASKED_PER_DAY, rated + unrated))


def votes(*, person: Person, pilot: Pilot) -> Votes:
    """Return what a person's ratings in a pilot add up to. Three queries."""
    standing = Rating.objects.filter(pilot_id=pilot.id, withdrawn_at__isnull=True)
    liked = Q()
    for scale, least in LIKED_FROM.items():
        liked |= Q(scale=scale, score__gte=least)
    counts = list(
        standing.filter(person=person)
        .values("candidate_id")
        .annotate(rated=Count("id"), liked=Count("id", filter=liked))
        .order_by("-rated", "candidate_id")
    )
    candidates = Candidate.objects.in_bulk([row["candidate_id"] for row in counts])
    rows = [
        VoteRow(
            candidate=candidates[row["candidate_id"]].name,
            position=candidates[row["candidate_id"]].position,
            rated=row["rated"],
            liked=row["liked"],
        )
        for row in counts
    ]
    everyone = standing.aggregate(raters=Count("person", distinct=True), ratings=Count("id"))
    enough = everyone["raters"] >= LEAST_RATERS
    return Votes(
        rows=rows,
        mine=sum(row.rated for row in rows),
        everyone=everyone["ratings"] if enough else None,
    )
