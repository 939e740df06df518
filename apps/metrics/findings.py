"""What a pilot has found out: stored results that pages, mails and the report read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.metrics.statistics import Interval

BETTER: Final = "better"
NOT_WORSE: Final = "not_worse"
WORSE: Final = "worse"
EARLY: Final = "early"


@dataclass(frozen=True, slots=True)
class Place:
    """One candidate among those of a role, in the measure's unit (shares of 1, or points of five).

    `rank` is 1 + how many others' lower bound lies above this one's upper bound; `rank_most` the
    worst it can be: how many others' upper bound reaches this one's lower bound, and itself.
    `group` numbers sets that have met each other; candidates of other groups are not comparable
    yet, and have no rank. `count` is answers, completions shown or votes, `days` developer-days.
    """

    candidate_id: int
    estimate: Interval | None
    rank: int | None
    rank_most: int | None
    people: int
    count: int
    days: int
    group: int = 0


@dataclass(frozen=True, slots=True)
class Contrast:
    """How much better `first` is than `second`: a difference and its interval.

    The interval is corrected for rivals and looks. The verdict on `first` is better, not_worse (by
    more than the margin), worse or early.

    `more_days` is about how many more working days it takes at the present pace, `more` how many
    more answers; None where nothing is missing or nothing can be said.
    """

    first_id: int
    second_id: int
    difference: Interval | None
    verdict: str
    more: int | None = None
    more_days: int | None = None


@dataclass(frozen=True, slots=True)
class Bias:
    """How far the evidence can be trusted. Shares are 0 to 1; None is not measured.

    `coverage` is answered of asked. `extreme_raters` counts those who give one and the same answer
    always. `left` is the share of decided votes for the left side. `changes_without_one` tells
    whether the first place changes if any one rater is left out. `swapped` is the share of days on
    which a person sent their candidate away; `flagged` votes on answers that named their model.
    """

    asked: int = 0
    answered: int = 0
    coverage: float | None = None
    extreme_raters: int = 0
    raters: int = 0
    left: Interval | None = None
    changes_without_one: bool | None = None
    swapped: float | None = None
    flagged: int = 0
    both_bad: float | None = None
    seeing_raters: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one role's primary measure. `state` is winner, tie, early or nothing.

    `winner_id` is the best, or in a tie whom the tie-break takes. `baseline` is what the incumbent
    reaches in the same unit, never blind. `looks` is how many are planned, `look` which this is.
    """

    role: str
    measure: str
    margin: float
    computed_at: datetime
    state: str
    places: tuple[Place, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    winner_id: int | None = None
    look: int = 1
    looks: int = 3
    people: int = 0
    count: int = 0
    baseline: float | None = None
    bias: Bias = Bias()
    is_frozen: bool = False
