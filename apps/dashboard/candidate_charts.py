"""Figures of a candidate's page as data."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from apps.core.drawing import candidate_line
from apps.dashboard.charts import DAY_AXIS, USD_AXIS, Figure
from apps.metrics.histogram import ANSWERS_MS
from apps.metrics.queries_days import CandidateDay
from apps.metrics.sums import LatencySums

# Buckets are narrow, some 4 %: this many together draw a shape instead of a comb.
TOGETHER: Final = 5


def cost_by_day(days: Sequence[CandidateDay], position: int) -> Figure:
    """Bars of one candidate's spending: tokens and busy machines, idle ones above."""
    color = candidate_line(position)["color"]
    at = [day.day.isoformat() for day in days]

    def bars(name: str, amounts: Sequence[Decimal | None], alpha: str) -> Figure:
        return {
            "type": "bar",
            "name": name,
            "x": at,
            # A day of too few people is a gap, not a day that was free.
            "y": [None if amount is None else float(amount) for amount in amounts],
            "marker": {"color": f"{color} / {alpha}"},
            "hovertemplate": f"{name}: $%{{y:,.2f}}<extra></extra>",
        }

    seen = [None if day.figures.is_hidden else day.figures for day in days]
    data = [bars("calls", [each.busy_cost_usd if each else None for each in seen], "0.9")]
    idle = [each.idle_cost_usd if each else None for each in seen]
    if any(idle):
        data.append(bars("idle machines", idle, "0.3"))
    return {
        "data": data,
        "layout": {
            "barmode": "stack",
            "bargap": 0.25,
            "xaxis": dict(DAY_AXIS),
            "yaxis": dict(USD_AXIS),
            "hovermode": "x unified",
            "showlegend": len(data) > 1,
            "legend": {"orientation": "h", "x": 0, "y": 1.16, "traceorder": "normal"},
            "margin": {"t": 34 if len(data) > 1 else 8, "r": 8, "b": 30, "l": 52},
        },
    }


def latency_distribution(latency: LatencySums, position: int) -> Figure:
    """Share of finished calls by first token and by whole answer, on a logarithmic scale."""
    color = candidate_line(position)["color"]
    traces = (
        ("first token", latency.first_content, "0.25", "solid"),
        ("whole answer", latency.total, "0.08", "dot"),
    )
    data = []
    for name, counts, alpha, dash in traces:
        at, shares = shape_of(counts)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": at,
                "y": shares,
                "line": {"color": color, "width": 2, "dash": dash, "shape": "hvh"},
                "fill": "tozeroy",
                "fillcolor": f"{color} / {alpha}",
                "hovertemplate": f"{name}: %{{y:.1%}} around %{{x:.2f}} s<extra></extra>",
            }
        )
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300]
    return {
        "data": data,
        "layout": {
            "xaxis": {
                "type": "log",
                "tickvals": ticks,
                "ticktext": [f"{tick:g} s" for tick in ticks],
                "title": {"text": "seconds since the call was let through"},
            },
            "yaxis": {"tickformat": ".0%", "rangemode": "tozero"},
            "hovermode": "closest",
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": 1.12},
            "margin": {"t": 32, "r": 12, "b": 44, "l": 44},
        },
    }


def shape_of(counts: Mapping[int, int]) -> tuple[list[float], list[float]]:
    """Return seconds and shares of calls, narrow buckets put together, gaps as zero."""
    if not counts:
        return [], []
    total = sum(counts.values())
    groups: dict[int, int] = {}
    for bucket, count in counts.items():
        groups[bucket // TOGETHER] = groups.get(bucket // TOGETHER, 0) + count
    spread = range(min(groups) - 1, max(groups) + 2)
    middle = TOGETHER // 2
    last = len(ANSWERS_MS) - 1
    at = [
        max(1, ANSWERS_MS[min(max(group * TOGETHER + middle, 0), last)]) / 1000 for group in spread
    ]
    return at, [groups.get(group, 0) / total for group in spread]
