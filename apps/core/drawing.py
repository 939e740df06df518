"""Geometry of the drawings that the server puts into pages; no Django, no colours.

A candidate is known by its position (1, 2, …: order of registration), which fixes colour
and shape. Colours are CSS classes c1 to c7, so that the page's theme and policy hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

Number = int | float | Decimal

COLORS = 7
# Paths in a box of 14 by 14, all of about the same area.
SHAPES = (
    "M7 1.8a5.2 5.2 0 1 0 0 10.4a5.2 5.2 0 1 0 0-10.4z",  # disc
    "M2.3 2.3h9.4v9.4h-9.4z",  # square
    "M7 1.4 12.9 12H1.1z",  # triangle up
    "M7 .8 13.2 7 7 13.2.8 7z",  # diamond
    "M7 12.6 12.9 2H1.1z",  # triangle down
    "M5 1.2h4V5h3.8v4H9v3.8H5V9H1.2V5H5z",  # plus
    "M4 1.4l3 3 3-3L12.6 4l-3 3 3 3L10 12.6l-3-3-3 3L1.4 10l3-3-3-3z",  # cross
)
SHAPE_NAMES = ("disc", "square", "triangle", "diamond", "triangle down", "plus", "cross")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x")


@dataclass(frozen=True)
class Mark:
    """A candidate's shape; `color` is a CSS class, `hollow` from the eighth on."""

    color: str
    path: str
    hollow: bool


def candidate_mark(position: int) -> Mark:
    """Give the mark of the candidate registered at `position`, counted from 1."""
    index = (position - 1) % COLORS
    return Mark(f"c{index + 1}", SHAPES[index], hollow=(position - 1) // COLORS % 2 == 1)


def candidate_marker(position: int, size: int = 11) -> dict[str, object]:
    """Give the Plotly marker of a candidate: same colour and shape as its mark in tables."""
    index = (position - 1) % COLORS
    hollow = (position - 1) // COLORS % 2 == 1
    return {
        "color": f"var(--c{index + 1})",
        "symbol": SYMBOLS[index] + ("-open" if hollow else ""),
        "size": size,
        "line": {"width": 2 if hollow else 1, "color": "var(--ink)"},
    }


def candidate_line(position: int) -> dict[str, object]:
    """Give the Plotly line of a candidate's series."""
    return {"color": f"var(--c{(position - 1) % COLORS + 1})", "width": 2}


def chart_text(text: str) -> str:
    """Make text from outside safe as a label or hover text: Plotly reads tags in them."""
    return escape(text, quote=False)


@dataclass(frozen=True)
class IntervalBar:
    """An interval on a scale, in pixels; `mid` is None where there is no data."""

    width: float
    height: float
    left: float
    span: float
    mid: float | None
    ref: float | None
    top: float
    center: float


def interval_bar(
    low: Number | None,
    mid: Number | None,
    high: Number | None,
    *,
    lo: Number,
    hi: Number,
    ref: Number | None,
    width: int,
    height: int = 18,
) -> IntervalBar:
    """Place an interval on the scale from `lo` to `hi`; what lies outside is drawn at the edge."""

    inset = 5.0

    def at(value: Number) -> float:
        share = (float(value) - float(lo)) / ((float(hi) - float(lo)) or 1.0)
        return round(inset + min(max(share, 0.0), 1.0) * (width - 2 * inset), 1)

    has_span = low is not None and high is not None
    left = at(low) if low is not None and high is not None else 0.0
    right = at(high) if low is not None and high is not None else 0.0
    return IntervalBar(
        width=width,
        height=height,
        left=round(left - 2.5, 1) if has_span else 0.0,
        span=round(right - left + 5, 1) if has_span else 0.0,
        mid=at(mid) if mid is not None else None,
        ref=at(ref) if ref is not None else None,
        top=height / 2 - 2.5,
        center=height / 2,
    )


@dataclass(frozen=True)
class Sparkline:
    """A small trend, in pixels: one list of points per stretch without gaps."""

    width: int
    height: int
    runs: tuple[str, ...]
    last: tuple[float, float] | None


def sparkline(values: Sequence[Number | None], *, width: int = 96, height: int = 24) -> Sparkline:
    """Draw values from old to new; None leaves a gap. A flat line stands in the middle."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return Sparkline(width, height, (), None)
    low, high = min(known), max(known)
    step = (width - 6) / max(len(values) - 1, 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        share = (float(value) - low) / (high - low) if high > low else 0.5
        x = 3 + index * step if len(values) > 1 else width / 2
        runs[-1].append((round(x, 1), round(height - 3 - share * (height - 6), 1)))
    drawn = [run for run in runs if run]
    lines = tuple(" ".join(f"{x:g},{y:g}" for x, y in run) for run in drawn)
    return Sparkline(width, height, lines, drawn[-1][-1])


def share(value: Number | None, most: Number) -> float:
    """Give value / most in percent, 0 to 100, for bars; 0 where nothing is known."""
    if value is None or not most:
        return 0.0
    return round(min(max(float(value) / float(most), 0.0), 1.0) * 100, 2)


@dataclass(frozen=True)
class Segment:
    """One step of a timeline; `ms` is its length."""

    label: str
    ms: float


@dataclass(frozen=True)
class PlacedSegment:
    """A step with its place in percent of the whole and its colour class."""

    label: str
    ms: float
    x: float
    width: float
    color: str


def timeline(segments: Sequence[Segment]) -> list[PlacedSegment]:
    """Place the steps of a timeline one after the other, in percent of their sum."""
    total = sum(segment.ms for segment in segments) or 1.0
    placed, start = [], 0.0
    for index, segment in enumerate(segments):
        width = segment.ms / total * 100
        color = f"seg-{index % 5 + 1}"
        placed.append(
            PlacedSegment(segment.label, segment.ms, round(start, 2), round(width, 2), color)
        )
        start += width
    return placed
