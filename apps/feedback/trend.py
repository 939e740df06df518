"""Where a person's days are drawn: dots for daily answers, bars for ratings. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

WIDTH: Final = 640.0
HEIGHT: Final = 96.0
_INSET: Final = 8.0
_WIDEST: Final = 22.0
LEVELS: Final = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class DayVotes:
    """What a person said on one day: ratings given, how many liked, the daily answer (1 to 5)."""

    day: date
    rated: int = 0
    liked: int = 0
    daily: int | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's ratings as two pieces on each other, in pixels of the drawing."""

    x: float
    width: float
    liked_y: float
    liked_height: float
    rest_y: float
    rest_height: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Both drawings of a trend, as wide and high as WIDTH and HEIGHT."""

    levels: tuple[float, ...]
    lines: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    bars: tuple[Bar, ...]
    most: int

    @property
    def box(self) -> str:
        return f"0 0 {WIDTH:g} {HEIGHT:g}"

    @property
    def right(self) -> float:
        return WIDTH


def drawn(days: Sequence[DayVotes]) -> Drawing:
    """Place the days from left to right. A day without an answer leaves no gap: weekends are."""
    most = max((day.rated for day in days), default=0)
    step = WIDTH / max(len(days), 1)
    dots = [
        (round((index + 0.5) * step, 1), level(day.daily))
        for index, day in enumerate(days)
        if day.daily is not None
    ]
    line = " ".join(f"{x:g},{y:g}" for x, y in dots)
    return Drawing(
        levels=tuple(level(score) for score in LEVELS),
        lines=(line,) if len(dots) > 1 else (),
        dots=tuple(dots),
        bars=tuple(_bar(index, day, step, most) for index, day in enumerate(days) if day.rated),
        most=most,
    )


def level(score: int) -> float:
    """Return the height at which a daily answer stands, from the top."""
    share = (score - LEVELS[0]) / (LEVELS[-1] - LEVELS[0])
    return round(HEIGHT - _INSET - share * (HEIGHT - 2 * _INSET), 1)


def _bar(index: int, day: DayVotes, step: float, most: int) -> Bar:
    width = min(step * 0.7, _WIDEST)
    tall = HEIGHT - _INSET
    liked, rest = (round(count / most * tall, 1) for count in (day.liked, day.rated - day.liked))
    return Bar(
        x=round((index + 0.5) * step - width / 2, 1),
        width=round(width, 1),
        liked_y=round(HEIGHT - liked, 1),
        liked_height=liked,
        rest_y=round(HEIGHT - liked - rest, 1),
        rest_height=rest,
    )
