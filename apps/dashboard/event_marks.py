"""What happened to a pilot, marked on its charts by letters that a list below explains. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from string import ascii_lowercase
from typing import Final
from zoneinfo import ZoneInfo

from apps.core.periods import day_of
from apps.dashboard.charts import Figure
from apps.pilots.models import PilotEvent

# More lines than this hide what they are to explain; the log has all of them.
MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """One day's events under one letter."""

    letter: str
    day: date
    texts: tuple[str, ...]


def marks_of(events: Iterable[PilotEvent], zone: ZoneInfo) -> list[Mark]:
    """Return the newest days on which something happened, the oldest of them first."""
    by_day: dict[date, list[str]] = {}
    for event in events:
        by_day.setdefault(day_of(event.at, zone), []).append(event.text)
    days = sorted(by_day)[-MOST:]
    return [
        Mark(letter, day, tuple(by_day[day]))
        for letter, day in zip(ascii_lowercase, days, strict=False)
    ]


def marked(figure: Figure, marks: Sequence[Mark]) -> Figure:
    """Return a chart of days with a thin line and a letter at each mark."""
    layout = figure["layout"]
    if not marks or not figure["data"]:
        return figure
    lines = [
        {
            "type": "line",
            "x0": mark.day.isoformat(),
            "x1": mark.day.isoformat(),
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"color": "var(--muted)", "width": 1, "dash": "dot"},
        }
        for mark in marks
    ]
    letters = [
        {
            "text": mark.letter,
            "x": mark.day.isoformat(),
            "yref": "paper",
            "y": 1,
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"color": "var(--muted)"},
        }
        for mark in marks
    ]
    shapes, annotations = layout.get("shapes", []), layout.get("annotations", [])
    margin = layout["margin"] | {"t": max(layout["margin"]["t"], 18)}
    added = {"shapes": shapes + lines, "annotations": annotations + letters, "margin": margin}
    return figure | {"layout": layout | added}
