"""The simulations as tables to read, each beside what it is held against. Pure.

Power is held against the figures that the design of pilots was chosen by (docs/statistics.md).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from apps.metrics.stats.bootstrap import resampled_strengths
from apps.metrics.stats.power import ASSUMED, Chance, chances, not_worse_chances
from apps.metrics.stats.simulations import (
    Ballot,
    coverage,
    direct_pairs,
    false_winners,
    two_proportions,
)

PILOTS: Final = 2_000
TEAMS: Final = ((10, 2), (25, 2), (25, 3), (25, 4))
Figures = list[float]
Power = Callable[[int, int], Figures]
Expected = tuple[tuple[int, int, int], ...]
BALLOTS: Final = (
    Ballot(raters=8, votes_each=40),
    Ballot(raters=12, votes_each=30),
    Ballot(raters=12, votes_each=30, strengths=(0.0, 0.0, 0.0)),
    Ballot(raters=25, votes_each=20),
    Ballot(raters=25, votes_each=30, strengths=(0.8, 0.3, 0.0, -0.1, -0.4, -0.6)),
)
# What the design was chosen by, in percent at weeks 2, 4 and 6, for each of TEAMS.
SHEET: Final[dict[str, Expected]] = {
    "thumbs on a sample, as two proportions": ((3, 4, 6), (7, 11, 16), (1, 1, 2), (0, 0, 0)),
    "daily question, gap 0.5": ((17, 37, 57), (49, 89, 98), (11, 44, 74), (1, 13, 35)),
    "acceptance 30 v 25 %, within developers": (
        (52, 83, 96),
        (98, 100, 100),
        (68, 97, 100),
        (31, 84, 98),
    ),
    "the same, as two proportions": ((0, 0, 0), (2, 0, 0), (0, 0, 0), (0, 0, 0)),
    "blind votes, 65 % wins, pair by pair": ((31, 46, 57), (78, 94, 98), (9, 32, 49), (0, 2, 4)),
}
NOT_WORSE: Final = (52, 81, 94)
# Equals of whom few say little: what tells nothing must not look like certainty.
_TENTH: Final = replace(ASSUMED, daily_answered=0.1)
_A_VOTE: Final = replace(ASSUMED, votes_a_week=1)
SPARSE: Final[dict[str, Callable[..., float]]] = {
    **{
        f"daily, one of ten answered, {people} people": partial(
            false_winners, measure="daily", people=people, candidates=2, assumed=_TENTH
        )
        for people in (5, 10, 25)
    },
    **{
        f"wins, one vote a week, {people} people": partial(
            false_winners, measure="wins", people=people, candidates=2, assumed=_A_VOTE
        )
        for people in (5, 6, 10)
    },
    **{
        f"{measure}, the last of {count} met by {late}": partial(
            false_winners, measure=measure, people=25, candidates=count, late=late
        )
        for measure in ("daily", "acceptance")
        for count in (2, 3)
        for late in (1, 2, 5)
    },
}


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that something took, and the most it may."""

    name: str
    seconds: float
    most: float

    @property
    def is_slow(self) -> bool:
        return self.seconds > self.most

    def __str__(self) -> str:
        return f"{self.name}: {self.seconds:.2f} s (at most {self.most:g})"


def tables(*, pilots: int = PILOTS) -> Iterator[str]:
    """Yield every table, line by line, as soon as it is computed; some seconds in all."""
    yield from power_table(pilots)
    yield from crossover_line(pilots)
    yield from false_winner_table(pilots)
    yield from coverage_table(pilots)


def power_rows(pilots: int) -> dict[str, Power]:
    """Return how each row of the power table is computed, in percent, from people and candidates.

    The last is what findings do with votes; its like was not among what the design was chosen by.
    """

    def by_measure(measure: str) -> Power:
        return lambda people, count: _percent(
            chances(measure=measure, people=people, candidates=count, rounds=pilots)
        )

    def proportions(is_acceptance: bool) -> Power:
        return lambda people, count: [
            100 * share
            for share in two_proportions(
                people=people, candidates=count, rounds=pilots, is_acceptance=is_acceptance
            )
        ]

    def pairs(people: int, count: int) -> Figures:
        return [100 * each for each in direct_pairs(people=people, candidates=count, rounds=pilots)]

    thumbs, daily, within, parallel, blind = SHEET
    return {
        thumbs: proportions(False),
        daily: by_measure("daily"),
        within: by_measure("acceptance"),
        parallel: proportions(True),
        blind: pairs,
        "the same votes by Bradley-Terry": by_measure("wins"),
    }


def power_table(pilots: int) -> Iterator[str]:
    yield "Chance that the best is separated from every other at weeks 2/4/6, in percent."
    yield f"{pilots:,} made-up pilots a cell; in brackets what the design was chosen by."
    teams = [f"{people} people, {count}" for people, count in TEAMS]
    yield _row("", teams, 26)
    for name, power in power_rows(pilots).items():
        expected = SHEET.get(name, (None,) * len(TEAMS))
        cells = [
            _weeks(power(people, count), known)
            for (people, count), known in zip(TEAMS, expected, strict=True)
        ]
        yield _row(name, cells, 26)
    found = not_worse_chances(measure="daily", people=25, candidates=2, margin=0.3, rounds=pilots)
    yield _row("equals: not worse by 0.3 star", ["", _weeks(_percent(found), NOT_WORSE)], 26)
    yield ""


def crossover_line(pilots: int) -> Iterator[str]:
    found = chances(measure="acceptance", people=25, candidates=4, rounds=pilots)[-1]
    yield (
        "Acceptance 30 v 25 %, 25 developers, 4 candidates, verdict by week 6: "
        f"{100 * found.share:.1f} % (more than 90 %)"
    )
    yield ""


def false_winner_table(pilots: int) -> Iterator[str]:
    yield "Equal candidates: a winner at any of three looks, in percent (at most 5)."
    yield _row("", [f"{people} people, {count}" for people, count in TEAMS], 16)
    for measure in ("daily", "acceptance", "wins"):
        shares = [
            false_winners(measure=measure, people=people, candidates=count, pilots=pilots)
            for people, count in TEAMS
        ]
        yield _row(measure, [f"{100 * each:.2f}" for each in shares], 16)
    yield ""
    yield "The same where little is known: few answers; or 25 people, of whom some have met the"
    yield "last candidate when the first look comes."
    for name, share in SPARSE.items():
        yield _row(name, [f"{100 * share(pilots=pilots):.2f}"], 16)
    yield ""


def coverage_table(pilots: int) -> Iterator[str]:
    yield f"95 % intervals of strengths, t on (raters - 1), {pilots:,} pilots: how many hold the"
    yield "truth, which is what the same model gives on unlimited votes, in percent (93 to 97)."
    yield _row("raters, votes each, candidates", ["strengths", "differences"], 12)
    for ballot in BALLOTS:
        found = coverage(ballot, pilots=pilots)
        name = f"{ballot.raters}, {ballot.votes_each}, {len(ballot.strengths)}"
        shares = [f"{100 * each:.1f}" for each in (found.strengths, found.differences)]
        yield _row(name, shares, 12)
    yield ""


def timings() -> Iterator[Timing]:
    """Yield how long what people wait for takes, on the machine that this runs on."""
    yield _timed("10,000 votes, 8 candidates, 1,000 rounds", 3, _resample)
    for measure in ("daily", "acceptance", "wins"):
        name = f"the wizard's chances, {measure}, 25 people, 3 candidates"
        yield _timed(name, 2, partial(chances, measure=measure, people=25, candidates=3))


def _timed(name: str, most: float, work: Callable[[], object]) -> Timing:
    began = time.perf_counter()
    work()
    return Timing(name, time.perf_counter() - began, most)


def _resample() -> None:
    chance = np.random.default_rng(1)
    raters = chance.integers(0, 25, 10_000)
    left = chance.integers(0, 8, 10_000)
    right = (left + chance.integers(1, 8, 10_000)) % 8
    points = chance.choice([0.0, 0.5, 1.0], 10_000)
    resampled_strengths(raters, left, right, points, count=8, rounds=1_000)


def _percent(found: list[Chance]) -> Figures:
    return [100 * each.share for each in found]


def _weeks(found: Figures, known: tuple[int, int, int] | None) -> str:
    told = "/".join(f"{each:.0f}" for each in found)
    return f"{told} ({'/'.join(str(each) for each in known)})" if known else told


def _row(name: str, cells: list[str], width: int) -> str:
    return f"{name:<40}" + "".join(f"{cell:<{width}}" for cell in cells).rstrip()
