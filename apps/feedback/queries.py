"""Reads around ratings. A developer sees what they themselves did, and nobody else's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.periods import DAY, Period, day_of, start_of_day
from apps.feedback.actions import NOT_RATED
from apps.feedback.cards import Addresses, Earlier, Given, RatingCard
from apps.feedback.models import Rating, RatingRevision, SampledAnswer
from apps.feedback.scales import in_words, is_liked, rating_of
from apps.feedback.veil import Veil
from apps.pilots.models import Pilot
from apps.usage.models import Call

# Longer ago than this nobody knows what the answer was.
RECENT: Final = timedelta(days=7)
INBOX: Final = 20
# So many ratings a day are asked for; more are welcome.
ASKED_PER_DAY: Final = 8


@dataclass(frozen=True, slots=True)
class Progress:
    """Ratings given today against the few that are asked for."""

    rated: int
    asked: int

    @property
    def is_done(self) -> bool:
        return self.rated >= self.asked


def call_by_id(call_id: UUID) -> Call | None:
    """Return a stored call, whoever made it."""
    return Call.objects.filter(id=call_id).first()


def own_rateable_calls(*, person: Person, pilot: Pilot) -> QuerySet[Call]:
    """Return a person's calls in a pilot that can be rated, in no order."""
    calls = Call.objects.filter(pilot_id=pilot.id, person_id=person.id, rateable=True)
    return calls.exclude(source__in=NOT_RATED)


def last_rateable(*, person: Person, pilot: Pilot) -> Call | None:
    """Return a person's newest rateable call in a pilot."""
    calls = own_rateable_calls(person=person, pilot=pilot)
    return calls.order_by("-admitted_at", "-id").first()


def rating_of_call(*, call_id: UUID, person: Person) -> Rating | None:
    """Return a person's rating of a call, unless it was withdrawn."""
    return Rating.objects.filter(call_id=call_id, person=person, withdrawn_at__isnull=True).first()


def inbox(*, person: Person, pilot: Pilot, now: datetime, limit: int = INBOX) -> list[RatingCard]:
    """Return a person's recent rateable calls.

    First what chance picked and nobody has rated, then what was never rated, then the rest; the
    newest of each first.
    """
    handled = Exists(Rating.objects.filter(call_id=OuterRef("id"), person=person))
    sampled = Exists(SampledAnswer.objects.filter(call_id=OuterRef("id"), person=person))
    calls = (
        own_rateable_calls(person=person, pilot=pilot)
        .filter(admitted_at__gte=now - RECENT)
        .annotate(is_handled=handled, is_due=sampled & ~handled)
        .order_by("is_handled", "-is_due", "-admitted_at", "-id")[:limit]
    )
    return cards(calls, person=person, pilot=pilot, now=now)


def card(
    *,
    call: Call,
    person: Person,
    pilot: Pilot,
    now: datetime,
    addresses: Addresses | None = None,
) -> RatingCard:
    """Return one call of a person as the widget shows it."""
    return cards([call], person=person, pilot=pilot, now=now, addresses=addresses)[0]


def cards(
    calls: Iterable[Call],
    *,
    person: Person,
    pilot: Pilot,
    now: datetime,
    addresses: Addresses | None = None,
) -> list[RatingCard]:
    """Return a person's own calls as the widget shows them, in their order. Four queries.

    `addresses` is where the ratings go, if not to the pages of who is signed in.
    """
    calls = list(calls)
    mine = {"person": person, "call_id__in": [call.id for call in calls]}
    ratings = {rating.call_id: rating for rating in Rating.objects.filter(**mine).order_by("id")}
    sampled = set(SampledAnswer.objects.filter(**mine).values_list("call_id", flat=True))
    candidates = Candidate.objects.in_bulk({call.candidate_id for call in calls})
    veil = Veil([pilot])
    is_closed = pilot.closed_at is not None and pilot.closed_at <= now
    found = []
    for call in calls:
        rating, candidate = ratings.get(call.id), candidates[call.candidate_id]
        is_blind = veil.hides(pilot.id, call.alias)
        found.append(
            RatingCard(
                call_id=call.id,
                pilot_slug=pilot.slug,
                addresses=addresses or _addresses(pilot, call),
                at=call.admitted_at,
                alias=call.alias,
                is_blind=is_blind,
                candidate="" if is_blind else candidate.name,
                position=None if is_blind else candidate.position,
                task=call.task,
                length=None if is_blind else call.completion_tokens,
                total_ms=None if is_blind else call.total_ms,
                scale=pilot.rating_scale,
                offered=tuple(pilot.rating_tags),
                is_open=call.rateable and call.source not in NOT_RATED and not is_closed,
                is_sampled=call.id in sampled,
                given=_given(rating),
                is_withdrawn=rating is not None and rating.withdrawn_at is not None,
            )
        )
    return found


def history(*, call_id: UUID, person: Person) -> list[Earlier]:
    """Return what a person said of a call before, the latest first; nobody else is shown it."""
    revisions = RatingRevision.objects.filter(rating__call_id=call_id, rating__person=person)
    return [
        Earlier(in_words(each.score, each.scale), tuple(each.tags), each.comment, each.until)
        for each in revisions.order_by("-until", "-id")
    ]


def _addresses(pilot: Pilot, call: Call) -> Addresses:
    page, give, withdraw = (
        reverse(name, args=[pilot.slug, call.id])
        for name in ("rate_call", "give_rating", "withdraw_rating")
    )
    return Addresses(page=page, give=give, withdraw=withdraw)


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
