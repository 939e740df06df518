"""What a plan begins with: a default for everything, so that a pilot is set up in minutes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any, Final

from apps.catalog.models import Candidate, CandidateState
from apps.pilots.models import Measure, UseRole
from apps.pilots.rotations import disagreements

PEOPLE_EXPECTED: Final = 25
FINALISTS: Final = 2
# A team below MANY_PEOPLE is too small to tell more than FINALISTS_MOST apart within weeks.
FINALISTS_MOST: Final = 3
MANY_PEOPLE: Final = 40
SCREENERS_MOST: Final = 5

# What developers wait for without noticing, and what a part-time owner can give.
FIRST_CONTENT_MS: Final = 2_000
UPKEEP_HOURS: Final = Decimal(4)

MEASURES: Final[dict[str, tuple[Measure, ...]]] = {
    UseRole.COMPLETION: (Measure.ACCEPTANCE,),
    UseRole.CHAT: (Measure.DAILY, Measure.WINS),
    UseRole.EDIT: (Measure.DAILY, Measure.WINS),
    UseRole.AGENT: (Measure.DAILY, Measure.WINS),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """How a measure is typed: `scale` typed ones are one stored one; bounds are as typed."""

    words: str
    scale: int
    margin: Decimal
    margin_low: Decimal
    margin_high: Decimal
    least: Decimal | None
    low: Decimal
    high: Decimal


def _unit(
    words: str,
    scale: int,
    margins: tuple[str, str, str],
    least: str | None,
    bounds: tuple[int, int],
) -> Unit:
    usual, low, high = (Decimal(each) for each in margins)
    return Unit(
        words,
        scale,
        usual,
        low,
        high,
        None if least is None else Decimal(least),
        Decimal(bounds[0]),
        Decimal(bounds[1]),
    )


UNITS: Final[dict[str, Unit]] = {
    Measure.ACCEPTANCE: _unit("percentage points", 100, ("3", "1", "50"), "20", (0, 100)),
    Measure.DAILY: _unit("points of the five", 1, ("0.3", "0.1", "2"), "3.5", (1, 5)),
    Measure.WINS: _unit("percentage points", 100, ("5", "1", "50"), None, (0, 100)),
}


def goal_defaults(measure: str) -> dict[str, Any]:
    """Return margin and least of a measure, as they are stored."""
    unit = UNITS[measure]
    least = None if unit.least is None else unit.least / unit.scale
    return {"margin": unit.margin / unit.scale, "least": least}


def finalists(candidates: Sequence[Candidate], role: str) -> list[Candidate]:
    """Return whom a trial begins with: the first two that may take turns, else the first two."""
    active = [each for each in candidates if each.state == CandidateState.ACTIVE]
    for pair in combinations(active, FINALISTS):
        if not disagreements(pair, role):
            return list(pair)
    return active[:FINALISTS]


def is_blind_by_default(candidates: Sequence[Candidate], role: str) -> bool:
    return len(candidates) >= FINALISTS and not disagreements(candidates, role)
