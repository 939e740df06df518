"""What people have said and done, as the rows that findings are computed from.

Everything is analysed as assigned. Of blind evidence, what people gave who see results, or ever
saw, is counted apart: they know who leads. Withdrawn answers count nowhere.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol, TypeVar

from django.db.models import Q

from apps.core.intervals import Interval, wilson
from apps.core.rotation import working_day
from apps.feedback.comparison_queries import votes_of
from apps.feedback.ide_queries import acceptance_days
from apps.feedback.models import Comparison, DailyQuestion, Rating
from apps.feedback.samples import sampled_ratings
from apps.metrics.arms import Arms
from apps.metrics.seeing import seeing_people
from apps.metrics.standing import BOTH_BAD, LEFT, RIGHT, DayRow, VoteRow
from apps.metrics.stats.bias import extreme_raters, left_share
from apps.pilots.models import Enrollment, Measure, Pilot, RatingScale, Swap

LIKED_STARS: Final = 4


class _OfSomebody(Protocol):
    @property
    def person_id(self) -> int: ...


Row = TypeVar("Row", bound=_OfSomebody)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Days or votes of one role, and what is known about how they came to be.

    `asked` and `answered` are questions, comparisons or, for acceptance, people. `seeing` are
    people who see results and rate. Not `is_blind` is what people chose by themselves.
    """

    is_blind: bool
    days: Sequence[DayRow] = ()
    votes: Sequence[VoteRow] = ()
    asked: int = 0
    answered: int = 0
    extreme: int = 0
    left: Interval | None = None
    both_bad: float | None = None
    flagged: int = 0
    swapped: float | None = None
    seeing: int = 0
    volunteered: Interval | None = None
    sampled: Interval | None = None

    @property
    def people(self) -> set[int]:
        return {row.person_id for row in self.days} | {row.person_id for row in self.votes}

    @property
    def met(self) -> set[int]:
        """Every candidate that somebody has answered for."""
        sides = {each for row in self.votes for each in (row.left_id, row.right_id)}
        return sides | {row.candidate_id for row in self.days}


def evidence_of(pilot: Pilot, role: str, measure: str, arms: Arms) -> Evidence:
    """Return the evidence on a role by its primary measure; after the end, up to the end.

    Raises ValueError for a measure that there is none of.
    """
    if measure == Measure.ACCEPTANCE:
        return _acceptance(pilot, role, arms)
    if measure == Measure.DAILY:
        return _daily(pilot, role, arms)
    if measure == Measure.WINS:
        return _wins(pilot, role)
    raise ValueError(f"no evidence is collected by {measure}")


def _acceptance(pilot: Pilot, role: str, arms: Arms) -> Evidence:
    every = [each for each in acceptance_days(pilot) if each.role == role]
    rows = [
        DayRow(each.person_id, each.day, each.candidate_id, each.accepted / each.shown, each.shown)
        for each in every
        if not arms or (arms.had(each.day, each.candidate_id) and _was_blind(pilot, each.day))
    ]
    kept, seeing = _apart(rows, is_blind=bool(arms))
    enrolled = Enrollment.objects.filter(pilot=pilot, left_at__isnull=True)
    return Evidence(
        is_blind=bool(arms),
        days=kept,
        asked=max(enrolled.count(), len({row.person_id for row in rows})),
        answered=len({row.person_id for row in rows}),
        swapped=_swapped(pilot, role, {(row.person_id, row.day) for row in rows}),
        seeing=seeing,
    )


def _daily(pilot: Pilot, role: str, arms: Arms) -> Evidence:
    questions = DailyQuestion.objects.filter(pilot_id=pilot.id, role=role)
    if arms:
        questions = questions.filter(is_blind=True)
    if (end := _end(pilot, is_blind=bool(arms))) is not None:
        questions = questions.filter(asked_at__lt=end)
    asked = list(questions.order_by("day", "person_id"))
    rows = [
        DayRow(
            each.person_id,
            each.day,
            each.candidate_id,
            float(each.score),
            given_on=_day_of(pilot, each.updated_at),
        )
        for each in asked
        if each.score is not None
        and each.withdrawn_at is None
        and _in_time(pilot, each.updated_at, is_blind=bool(arms))
    ]
    kept, seeing = _apart(rows, is_blind=bool(arms))
    volunteered, sampled = _liked(pilot)
    return Evidence(
        is_blind=bool(arms),
        days=kept,
        asked=len(asked),
        answered=len(rows),
        extreme=extreme_raters((row.person_id, row.value) for row in kept),
        swapped=_swapped(pilot, role, {(each.person_id, each.day) for each in asked}),
        seeing=seeing,
        volunteered=volunteered,
        sampled=sampled,
    )


def _wins(pilot: Pilot, role: str) -> Evidence:
    votes = [
        each for each in votes_of(pilot, role) if _in_time(pilot, each.updated_at, is_blind=True)
    ]
    rows = [
        VoteRow(
            each.person_id,
            working_day(each.voted_at, pilot.zone_info),
            each.left_candidate_id,
            each.right_candidate_id,
            each.outcome,
            _day_of(pilot, each.updated_at),
        )
        for each in votes
        if not each.flagged
    ]
    kept, seeing = _apart(rows, is_blind=True)
    sides = [row.outcome for row in kept]
    ready = Comparison.objects.filter(
        Q(pilot_id=pilot.id, role=role, is_blind=True, ready_at__isnull=False)
    )
    volunteered, sampled = _liked(pilot)
    return Evidence(
        is_blind=True,
        votes=kept,
        asked=max(ready.count(), len(votes)),
        answered=len(votes),
        extreme=extreme_raters((row.person_id, row.outcome) for row in kept),
        left=left_share(sides.count(LEFT), sides.count(RIGHT)),
        both_bad=sides.count(BOTH_BAD) / len(sides) if sides else None,
        flagged=len(votes) - len(rows),
        seeing=seeing,
        volunteered=volunteered,
        sampled=sampled,
    )


def _end(pilot: Pilot, *, is_blind: bool) -> datetime | None:
    """Return when evidence ends: with the pilot; blind evidence with its blindness, too."""
    ends = [pilot.closed_at, pilot.unblinded_at if is_blind else None]
    return min((at for at in ends if at is not None), default=None)


def _day_of(pilot: Pilot, at: datetime | None) -> date | None:
    return working_day(at, pilot.zone_info) if at else None


def _in_time(pilot: Pilot, at: datetime | None, *, is_blind: bool) -> bool:
    """Tell whether an answer is from before the end as it stands: corrected later, it is not."""
    end = _end(pilot, is_blind=is_blind)
    return end is None or (at is not None and at <= end)


def _was_blind(pilot: Pilot, day: date) -> bool:
    """Tell whether a working day was over before anybody knew who answers."""
    end = pilot.unblinded_at
    return end is None or day < working_day(end, pilot.zone_info)


def _apart(rows: Sequence[Row], *, is_blind: bool) -> tuple[list[Row], int]:
    """Return the rows of who sees no results, and how many people's were taken out."""
    if not is_blind:
        return list(rows), 0
    people = {row.person_id for row in rows}
    seeing = people & seeing_people()
    return [row for row in rows if row.person_id not in seeing], len(seeing)


def _swapped(pilot: Pilot, role: str, days: Collection[tuple[int, object]]) -> float | None:
    """Return on which share of developer-days somebody sent their candidate away."""
    swaps = set(
        Swap.objects.filter(rotation__pilot=pilot, rotation__role=role).values_list(
            "person_id", "day"
        )
    )
    known = swaps | set(days)
    return len(swaps) / len(known) if known else None


def _liked(pilot: Pilot) -> tuple[Interval | None, Interval | None]:
    """Return the liked shares of ratings that were volunteered, and of those chance asked for."""
    sample = sampled_ratings(pilot)
    asked_for = {each.call_id for each in sample}
    ratings = Rating.objects.filter(pilot_id=pilot.id, withdrawn_at__isnull=True)
    volunteered = [
        _is_liked(scale, score)
        for call_id, scale, score in ratings.values_list("call_id", "scale", "score")
        if call_id not in asked_for
    ]
    sampled = [_is_liked(each.scale, each.score) for each in sample if each.score is not None]
    return _share(volunteered), _share(sampled)


def _is_liked(scale: str, score: int) -> bool:
    return score == 1 if scale == RatingScale.THUMBS else score >= LIKED_STARS


def _share(liked: Iterable[bool]) -> Interval | None:
    known = list(liked)
    return wilson(sum(known), len(known)) if known else None
