"""What a person's own answers add up to, and what they changed. Others only from five on."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.figures import number, percent
from apps.core.groups import LEAST_GROUP
from apps.core.intervals import Interval, wilson
from apps.core.periods import day_of
from apps.feedback.models import Comparison, DailyQuestion, Outcome, Rating, SampledAnswer
from apps.feedback.scales import LIKED_FROM, in_words, is_liked
from apps.feedback.trend import DayVotes
from apps.feedback.veil import Veil, with_alias
from apps.pilots.models import Pilot

LONGEST: Final = timedelta(days=41)
SAMPLED_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Share:
    """How much of all answers of a kind is one's own; `everyone` is None for too few others."""

    mine: int
    everyone: int | None

    @property
    def note(self) -> str:
        """Say the share in words, for who is shown how many there are."""
        if not self.everyone:
            return ""
        return f"of {number(self.everyone)}, which is {percent(self.mine / self.everyone)}"


@dataclass(frozen=True, slots=True)
class Change:
    """The share liked over the whole pilot, without one's own ratings and with them.

    `narrower` is by what fraction the interval shrank; below 0 it grew.
    """

    without: Interval
    together: Interval

    @property
    def narrower(self) -> float:
        return 1 - half_width(self.together) / half_width(self.without)


@dataclass(frozen=True, slots=True)
class CandidateVotes:
    """One's own ratings of a candidate, and how others like it once that may be known.

    Without a candidate: the blind answers together. `others` is None where too few rated it.
    """

    candidate: str
    position: int | None
    rated: int
    liked: int
    others: Interval | None = None


@dataclass(frozen=True, slots=True)
class Picked:
    """One answer that chance picked; `words` is empty before it is rated."""

    call_id: UUID
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Sample:
    picked: int
    rated: int
    latest: list[Picked]


def half_width(interval: Interval) -> float:
    return (interval.high - interval.low) / 2


def own_days(*, person: Person, pilot: Pilot, now: datetime) -> list[DayVotes]:
    """Return a person's days of a pilot up to now, six weeks at most, empty ones too."""
    last = min(day_of(now, pilot.zone_info), pilot.ends_on)
    first = max(pilot.starts_on, last - LONGEST)
    daily = dict(_own_daily(person, pilot).values_list("day", "score"))
    rated: Counter[date] = Counter()
    liked: Counter[date] = Counter()
    for at, score, scale in _standing(pilot, person).values_list("rated_at", "score", "scale"):
        day = day_of(at, pilot.zone_info)
        rated[day] += 1
        liked[day] += is_liked(score, scale)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [DayVotes(day, rated[day], liked[day], daily.get(day)) for day in days]


def rating_share(*, person: Person, pilot: Pilot) -> tuple[Share, Change | None]:
    """Return how many of a pilot's ratings are one's own, and what they did to the share liked."""
    mine, others = Counter[str](), Counter[str]()
    people = set()
    rows = (
        Rating.objects.filter(pilot_id=pilot.id, withdrawn_at__isnull=True)
        .values("person_id")
        .annotate(rated=Count("id"), liked=Count("id", filter=_liked()))
        .order_by("person_id")
    )
    for row in rows:
        whose = mine if row["person_id"] == person.id else others
        whose.update(rated=row["rated"], liked=row["liked"])
        people.add(row["person_id"])
    if len(people - {person.id}) < LEAST_GROUP:
        return Share(mine["rated"], None), None
    share = Share(mine["rated"], mine["rated"] + others["rated"])
    if not mine["rated"]:
        return share, None
    together = mine + others
    return share, Change(
        without=wilson(others["liked"], others["rated"]),
        together=wilson(together["liked"], together["rated"]),
    )


def daily_share(*, person: Person, pilot: Pilot) -> Share:
    """Return how many of a pilot's daily answers are one's own."""
    answered = DailyQuestion.objects.filter(
        pilot_id=pilot.id, score__isnull=False, withdrawn_at__isnull=True
    )
    return _share(answered, person)


def comparison_share(*, person: Person, pilot: Pilot) -> Share:
    """Return how many of a pilot's blind votes are one's own."""
    voted = Comparison.objects.filter(
        pilot_id=pilot.id, is_blind=True, voted_at__isnull=False, withdrawn_at__isnull=True
    )
    return _share(voted.exclude(outcome=""), person)


def votes_by_candidate(*, person: Person, pilot: Pilot) -> list[CandidateVotes]:
    """Return one's own ratings by candidate, the most first; blind ones together while blind."""
    veil = Veil([pilot])
    rated: Counter[int | None] = Counter()
    liked: Counter[int | None] = Counter()
    mine = with_alias(_standing(pilot, person))
    for alias, candidate_id, score, scale in mine.values_list(
        "alias", "candidate_id", "score", "scale"
    ):
        whose = None if veil.hides(pilot.id, alias) else candidate_id
        rated[whose] += 1
        liked[whose] += is_liked(score, scale)
    others = {} if veil.is_down(pilot.id) else _others(pilot, person)
    found = Candidate.objects.in_bulk([whose for whose in rated if whose is not None])
    rows = [
        CandidateVotes(
            candidate=found[whose].name if whose is not None else "",
            position=found[whose].position if whose is not None else None,
            rated=rated[whose],
            liked=liked[whose],
            others=others.get(whose) if whose is not None else None,
        )
        for whose in rated
    ]
    return sorted(rows, key=lambda row: (-row.rated, row.position or 0))


@dataclass(frozen=True, slots=True)
class BlindVotes:
    """How one's blind votes went for one candidate; a tie is also both bad."""

    candidate: str
    position: int
    won: int
    tied: int
    lost: int


def blind_votes(*, person: Person, pilot: Pilot) -> list[BlindVotes]:
    """Return one's own blind votes by candidate; none while nobody may know who answered."""
    if Veil([pilot]).is_down(pilot.id):
        return []
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    comparisons = Comparison.objects.filter(
        pilot_id=pilot.id, person=person, is_blind=True, voted_at__isnull=False
    )
    for outcome, candidate_id, side in (
        comparisons.filter(withdrawn_at__isnull=True)
        .exclude(outcome="")
        .values_list("outcome", "answers__candidate_id", "answers__side")
    ):
        votes[candidate_id][_result(outcome, side)] += 1
    found = Candidate.objects.in_bulk(list(votes)).values()
    return [
        BlindVotes(one.name, one.position, *(votes[one.id][each] for each in RESULTS))
        for one in sorted(found, key=lambda one: one.position)
    ]


RESULTS: Final = ("won", "tied", "lost")


def _result(outcome: str, side: int) -> str:
    if outcome not in (Outcome.LEFT, Outcome.RIGHT):
        return "tied"
    return "won" if (outcome == Outcome.LEFT) == (side == 0) else "lost"


def own_sample(*, person: Person, pilot: Pilot) -> Sample:
    """Return which answers of one's own chance picked, and which of them one has rated."""
    picked = SampledAnswer.objects.filter(pilot_id=pilot.id, person=person)
    rated = _standing(pilot, person).filter(call_id__in=picked.values("call_id"))
    words = {each.call_id: in_words(each.score, each.scale) for each in rated}
    latest = picked.order_by("-admitted_at", "-id")[:SAMPLED_SHOWN]
    return Sample(
        picked=picked.count(),
        rated=len(words),
        latest=[
            Picked(each.call_id, each.admitted_at, words.get(each.call_id, "")) for each in latest
        ],
    )


def _standing(pilot: Pilot, person: Person) -> QuerySet[Rating]:
    ratings = Rating.objects.filter(pilot_id=pilot.id, person=person, withdrawn_at__isnull=True)
    return ratings.order_by("id")


def _own_daily(person: Person, pilot: Pilot) -> QuerySet[DailyQuestion]:
    mine = DailyQuestion.objects.filter(pilot_id=pilot.id, person=person)
    return mine.filter(score__isnull=False, withdrawn_at__isnull=True)


def _liked() -> Q:
    liked = Q()
    for scale, least in LIKED_FROM.items():
        liked |= Q(scale=scale, score__gte=least)
    return liked


def _others(pilot: Pilot, person: Person) -> dict[int, Interval]:
    rows = (
        Rating.objects.filter(pilot_id=pilot.id, withdrawn_at__isnull=True)
        .exclude(person=person)
        .values("candidate_id")
        .annotate(
            people=Count("person", distinct=True),
            rated=Count("id"),
            liked=Count("id", filter=_liked()),
        )
        .filter(people__gte=LEAST_GROUP)
        .order_by("candidate_id")
    )
    return {row["candidate_id"]: wilson(row["liked"], row["rated"]) for row in rows}


def _share(answers: QuerySet, person: Person) -> Share:
    by_person: Iterable[tuple[int, int]] = (
        answers.values_list("person_id").annotate(count=Count("id")).order_by("person_id")
    )
    counts = dict(by_person)
    mine = counts.get(person.id, 0)
    enough = len(counts.keys() - {person.id}) >= LEAST_GROUP
    return Share(mine, sum(counts.values()) if enough else None)
