"""What a pilot has found out: stored results that pages, mails and the report read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from apps.core.intervals import Interval

BETTER: Final = "better"
NOT_WORSE: Final = "not_worse"
WORSE: Final = "worse"
EARLY: Final = "early"

WINNER: Final = "winner"
TIE: Final = "tie"
NOTHING: Final = "nothing"
# Of stored results; a result of another format is computed anew.
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Place:
    """One candidate among those of a role, in the measure's unit (shares of 1, or points of five).

    `rank` is 1 + how many others' lower bound lies above this one's upper bound; `rank_most` the
    worst it can be: how many others' upper bound reaches this one's lower bound, and itself.
    `group` numbers sets that have met each other; candidates of other groups are not comparable
    yet, and have no rank. `count` is answers, completions shown or votes, `days` developer-days.

    `shrunken` is the mean of daily answers drawn towards that of all, as if ten more had given it.
    `first_share` is in which share of resampled teams this one comes first.

    `estimate` tells candidates apart; `level` is what a person like these gives, with how much
    people differ: the interval to hold a threshold against.
    """

    candidate_id: int
    estimate: Interval | None
    rank: int | None
    rank_most: int | None
    people: int
    count: int
    days: int
    group: int = 0
    shrunken: float | None = None
    first_share: float | None = None
    level: Interval | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """How much better `first` is than `second`: a difference and its interval.

    The interval is corrected for rivals and looks, from all evidence there is. The verdict on
    `first` is better, not_worse (by more than the margin), worse or early, as judged on the latest
    look. Every pair stands here twice, once from each side.

    `more_days` is about how many more working days it takes at the present pace, `more` how many
    more answers; None where nothing is missing or nothing can be said. `prefer_first` and
    `prefer_second` count people who have met both by whom they do better with; `votes` and
    `both_bad` the pair's own blind votes, and those that found both bad.
    """

    first_id: int
    second_id: int
    difference: Interval | None
    verdict: str
    more: int | None = None
    more_days: int | None = None
    prefer_first: int = 0
    prefer_second: int = 0
    votes: int = 0
    both_bad: int = 0


@dataclass(frozen=True, slots=True)
class Bias:
    """How far the evidence can be trusted. Shares are 0 to 1; None is not measured.

    `coverage` is answered of asked. `extreme_raters` counts those who give one and the same answer
    always. `left` is the share of decided votes for the left side. `changes_without_one` tells
    whether the first place changes if any one rater is left out. `swapped` is the share of days on
    which a person sent their candidate away; `flagged` votes on answers that named their model,
    which are left out. `seeing_raters` see results, or once did, and rate all the same.
    `volunteered` and `sampled` are the liked shares of ratings that people gave by themselves, and
    of those that chance asked for.
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
    volunteered: Interval | None = None
    sampled: Interval | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one role's primary measure. `state` is winner, tie, early or nothing.

    `winner_id` is the best, or in a tie whom the tie-break takes. `baseline` is what the incumbent
    reaches in the same unit, never blind. `looks` is how many are planned, `look` which this is: 0
    before the first. Verdicts are those of the evidence of days before `judged_on`. Not `is_blind`
    is evidence of days on which people chose by themselves: it tells whom they like to use, too.
    Once frozen, nothing changes but `withdrawn_since`: what was withdrawn after the end.
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
    is_blind: bool = True
    judged_on: date | None = None
    next_look_on: date | None = None
    withdrawn_since: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold; `from_json` of it is equal to this."""
        return asdict(self) | {
            "format": FORMAT,
            "computed_at": self.computed_at.isoformat(),
            "judged_on": self.judged_on and self.judged_on.isoformat(),
            "next_look_on": self.next_look_on and self.next_look_on.isoformat(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Finding:
        """Return what `to_json` gave; raises ValueError for another format."""
        fields = dict(stored)
        if fields.pop("format", None) != FORMAT:
            raise ValueError("a finding of another format")
        fields["computed_at"] = datetime.fromisoformat(fields["computed_at"])
        for name in ("judged_on", "next_look_on"):
            fields[name] = date.fromisoformat(fields[name]) if fields[name] else None
        fields["places"] = tuple(
            Place(**each | {name: _interval(each[name]) for name in ("estimate", "level")})
            for each in fields["places"]
        )
        fields["contrasts"] = tuple(
            Contrast(**each | {"difference": _interval(each["difference"])})
            for each in fields["contrasts"]
        )
        bias = fields["bias"]
        intervals = {name: _interval(bias[name]) for name in ("left", "volunteered", "sampled")}
        fields["bias"] = Bias(**bias | intervals)
        return cls(**fields)


def _interval(stored: Mapping[str, float] | None) -> Interval | None:
    return Interval(**stored) if stored is not None else None
