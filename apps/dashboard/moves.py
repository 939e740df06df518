"""What changed this week: only what is larger than chance, and what somebody decided. Pure.

A share has moved when its two 95 % intervals do not overlap; a duration when it is a quarter longer
or a fifth shorter over enough calls; spending when a day costs a third more or less.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from apps.catalog.models import Candidate
from apps.core.figures import money, percent, seconds
from apps.metrics.statistics import Interval, wilson
from apps.metrics.sums import Figures

ENOUGH_CALLS: Final = 50
ENOUGH_RATINGS: Final = 10
LEAST_MS: Final = 100
LEAST_USD_A_DAY: Final = Decimal(1)
MOST_MOVES: Final = 7


@dataclass(frozen=True, slots=True)
class Move:
    """One change. `day` is None for one of the whole week; `kind` is good, bad or empty."""

    text: str
    size: float
    candidate: Candidate | None = None
    day: date | None = None
    kind: str = ""


def biggest(moves: Sequence[Move]) -> list[Move]:
    """Return the largest, the newest first and those of the whole week after them."""
    largest = sorted(moves, key=lambda move: -move.size)[:MOST_MOVES]
    return sorted(largest, key=lambda move: (-(move.day or date.min).toordinal(), -move.size))


def candidate_moves(
    candidates: Sequence[Candidate], week: Mapping[int, Figures], before: Mapping[int, Figures]
) -> list[Move]:
    """Compare each candidate's week with the week before."""
    found: list[Move | None] = []
    for candidate in candidates:
        new, old = week.get(candidate.id), before.get(candidate.id)
        if new is None or old is None:
            continue
        found += [
            _slower(candidate, new, old),
            _errors(candidate, new, old),
            _liked(candidate, new, old),
        ]
    return [move for move in found if move]


def _slower(candidate: Candidate, new: Figures, old: Figures) -> Move | None:
    now, then = new.latency.first_ms(0.95), old.latency.first_ms(0.95)
    if now is None or not then or min(new.latency.calls, old.latency.calls) < ENOUGH_CALLS:
        return None
    ratio = now / then
    if 0.8 < ratio < 1.25 or abs(now - then) < LEAST_MS:
        return None
    way, kind = ("up", "bad") if ratio > 1 else ("down", "good")
    text = f"p95 first token {way} from {seconds(then)} to {seconds(now)}"
    return Move(text, abs(ratio - 1), candidate, kind=kind)


def _errors(candidate: Candidate, new: Figures, old: Figures) -> Move | None:
    if min(new.usage.calls, old.usage.calls) < ENOUGH_CALLS:
        return None
    now = wilson(new.usage.failed, new.usage.calls)
    then = wilson(old.usage.failed, old.usage.calls)
    return _share(candidate, "errors", now, then, up="bad", down="good", weight=20)


def _liked(candidate: Candidate, new: Figures, old: Figures) -> Move | None:
    if min(new.usage.rated, old.usage.rated) < ENOUGH_RATINGS:
        return None
    now = wilson(new.usage.liked, new.usage.rated)
    then = wilson(old.usage.liked, old.usage.rated)
    return _share(candidate, "liked", now, then, up="good", down="bad", weight=5)


def _share(
    candidate: Candidate,
    words: str,
    now: Interval,
    then: Interval,
    *,
    up: str,
    down: str,
    weight: float,
) -> Move | None:
    if now.low <= then.high and then.low <= now.high:
        return None
    way, kind = ("up", up) if now.mid > then.mid else ("down", down)
    text = f"{words} {way} from {percent(then.mid)} to {percent(now.mid)}"
    return Move(text, weight * abs(now.mid - then.mid), candidate, kind=kind)


def spending_move(by_day: Mapping[date, Decimal], *, today: date) -> Move | None:
    """Compare the last seven whole days with the seven before; a half day would look cheap."""
    whole = [by_day[day] for day in sorted(by_day) if day < today][-14:]
    if len(whole) < 14:
        return None
    then, now = sum(whole[:7], Decimal(0)) / 7, sum(whole[7:], Decimal(0)) / 7
    if not then or abs(now - then) < LEAST_USD_A_DAY:
        return None
    ratio = float(now / then)
    if 0.75 < ratio < 1.33:
        return None
    way = "up" if ratio > 1 else "down"
    return Move(f"Spending {way} from {money(then)} to {money(now)} a day", abs(ratio - 1))
