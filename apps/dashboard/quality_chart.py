"""Quality against cost, as data that plotly.js draws."""

from collections.abc import Sequence
from decimal import Decimal
from math import ceil, floor, log10
from typing import Final

from apps.core.drawing import candidate_line, candidate_marker, chart_text
from apps.core.figures import money
from apps.dashboard.charts import Figure, dollar_axis
from apps.dashboard.leaderboard import Row
from apps.metrics.quality_words import bounds_words, value_words
from apps.pilots.models import Measure

FAR_APART: Final = 15


def quality_against_cost(rows: Sequence[Row]) -> Figure:
    """Quality with its interval over what an answer costs; a line through what is worth it.

    Quality is the primary measure, or without one the share liked.
    """
    points = [(row, *place) for row in rows if (place := _place(row))]
    data: list[Figure] = []
    front = frontier([(x, y) for _, x, y in points])
    if len(front) > 1:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [x for x, _ in front],
                "y": [y for _, y in front],
                "line": {"color": "var(--muted)", "width": 1, "dash": "dash"},
                "hoverinfo": "skip",
            }
        )
    axis = cost_axis([x for _, x, _ in points])
    for row, x, y in points:
        # Names go to the roomier side, and away from the nearest neighbour's height.
        low, high = axis["range"]
        right = (log10(x) if "type" in axis else x) < low + 0.55 * (high - low)
        others = [other for each, _, other in points if each is not row]
        above = not others or y >= min(others, key=lambda other: abs(other - y))
        data.append(_point(row, x, y, right=right, above=above))
    known = [quality for row, _, _ in points if (quality := row.quality)]
    bounds = [end for each in known for end in (each.low, each.high)]
    role = rows[0].role if rows else None
    is_score = role is not None and role.finding.measure == Measure.DAILY
    least, most = (1.0, 5.0) if is_score else (0.0, 1.02)
    low, high = min(bounds, default=least) - 0.04, max(bounds, default=most) + 0.05
    return {
        "data": data,
        "layout": {
            "xaxis": axis | {"title": {"text": "cost per answer (chat, edit, agent)"}},
            "yaxis": {
                "tickformat": ".1f" if is_score else ".0%",
                "range": [max(least, low), min(most, high)],
            },
            "hovermode": "closest",
            "margin": {"t": 18, "r": 12, "b": 40, "l": 44},
        },
    }


def cost_axis(costs: Sequence[float]) -> Figure:
    """Return the axis that fits: logarithmic where a hundredth and a dollar meet."""
    known = [cost for cost in costs if cost > 0]
    if len(known) < len(costs) or not known or max(known) < FAR_APART * min(known):
        most = max(costs, default=0) or 1
        return dollar_axis(most * 1.15) | {"range": [-0.03 * most, most * 1.15]}
    ends = log10(min(known)) - 0.25, log10(max(known)) + 0.25
    steps = [
        Decimal(digit).scaleb(power)
        for power in range(floor(ends[0]), ceil(ends[1]) + 1)
        for digit in (1, 3)
    ]
    return {
        "type": "log",
        "range": list(ends),
        "tickvals": [float(step) for step in steps],
        "ticktext": [money(step) for step in steps],
    }


def _place(row: Row) -> tuple[float, float] | None:
    cost, quality = row.figures.cost_per_answer_usd, row.quality
    return None if cost is None or quality is None else (float(cost), quality.mid)


def _point(row: Row, x: float, y: float, *, right: bool, above: bool) -> Figure:
    quality, name = row.quality, chart_text(row.candidate.name)
    assert quality is not None
    position = row.candidate.position
    line = candidate_line(position)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": name,
        "x": [x],
        "y": [y],
        "text": [name],
        "textposition": f"{'top' if above else 'bottom'} {'right' if right else 'left'}",
        "textfont": {"weight": 600},
        "cliponaxis": False,
        "marker": candidate_marker(position, 12),
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [quality.high - quality.mid],
            "arrayminus": [quality.mid - quality.low],
            "color": f"{line['color']} / 0.6",
            "thickness": 2,
            "width": 0,
        },
        "hovertemplate": f"{name}<br>{_told(row)}, {money(Decimal(str(x)))} an answer"
        "<extra></extra>",
    }


def frontier(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that no other beats in both cost and share liked, cheapest first."""
    best: list[tuple[float, float]] = []
    for x, y in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or y > best[-1][1]:
            best.append((x, y))
    return best


def _told(row: Row) -> str:
    """Write a candidate's quality as the hover says it."""
    if row.role is None or row.quality is None:
        return "%{y:.0%} liked"
    measure = row.role.finding.measure
    value, bounds = value_words(measure, row.quality.mid), bounds_words(measure, row.quality)
    return f"{value} ({bounds}), {row.role.unit}"
