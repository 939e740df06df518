"""Figures of the overview as data: plotly.js draws them in the browser, in the theme's colors."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from apps.core.drawing import candidate_line, chart_text
from apps.core.figures import money, money_range
from apps.dashboard.spending import Spending

Figure = dict[str, Any]
USD_AXIS: Final = {"tickprefix": "$", "rangemode": "tozero", "separatethousands": True}
# Invisible ticks keep the first day away from the zero beside it.
DAY_AXIS: Final = {
    "type": "date",
    "tickformat": "%-d %b",
    "hoverformat": "%a %-d %b",
    "ticks": "outside",
    "ticklen": 5,
    "tickcolor": "rgba(0, 0, 0, 0)",
}
# A budget far above everything else would flatten what there is to see.
FAR_ABOVE: Final = 4


def dollar_axis(top: float) -> Figure:
    """Return a linear axis up to `top` dollars; plotly.js itself would write $200µ or $1.2."""
    step = _nice_step(top)
    decimals = -int(step.normalize().as_tuple().exponent)
    digits = max(2, decimals) if decimals > 0 else 0
    steps = [step * n for n in range(int(Decimal(str(top)) / step) + 1)]
    texts = [f"${each:,.{digits}f}" if each else "$0" for each in steps]
    return USD_AXIS | {"tickvals": [float(each) for each in steps], "ticktext": texts}


def _nice_step(top: float) -> Decimal:
    """Return 1, 2 or 5 times a power of ten: three to six of it reach `top`."""
    rough = Decimal(str(top)) / 6
    power = Decimal(1).scaleb(rough.adjusted())
    return next(each * power for each in (1, 2, 5, 10) if each * power >= rough)


def spending_over_time(spent: Spending) -> Figure:
    """Running totals stacked by candidate, the budget, and how it goes on.

    Nothing where the days would tell when few people worked.
    """
    if spent.is_course_hidden:
        return {"data": [], "layout": {}}
    days = [day.isoformat() for day in spent.days]
    data = []
    for series in spent.series:
        line = candidate_line(series.candidate.position)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": chart_text(series.candidate.name),
                "stackgroup": "spent",
                "x": days,
                "y": [float(total) for total in _running(series.usd)],
                # No outlines: the upper one would give the total the last candidate's color.
                "line": {"width": 0},
                "fillcolor": f"{line['color']} / 0.45",
                "hovertemplate": "%{fullData.name}: $%{y:,.2f}<extra></extra>",
            }
        )
    if days:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "together",
                "x": days,
                "y": [float(total) for total in spent.cumulative],
                "line": {"color": "var(--accent)", "width": 2},
                "hovertemplate": "together: $%{y:,.2f}<extra></extra>",
            }
        )
    layout: Figure = {
        "xaxis": dict(DAY_AXIS),
        "yaxis": dollar_axis(1.12 * _top(spent)),
        "hovermode": "x unified",
        "margin": {"t": 12, "r": 12, "b": 30, "l": 52},
        "annotations": [],
        "shapes": [],
    }
    data += _fan(spent, layout)
    _budget_line(spent, layout)
    if spent.is_running:
        layout["xaxis"]["range"] = [days[0] if days else None, spent.last.isoformat()]
    return {"data": data, "layout": layout}


def _running(amounts: Sequence[Decimal]) -> list[Decimal]:
    total, totals = Decimal(0), []
    for amount in amounts:
        total += amount
        totals.append(total)
    return totals


def _fan(spent: Spending, layout: Figure) -> list[Figure]:
    if not spent.forecast:
        return []
    start = [
        (day, total)
        for day, total in zip(spent.days, spent.cumulative, strict=True)
        if day < spent.today
    ][-1]
    days = [start[0].isoformat(), *(each.day.isoformat() for each in spent.forecast)]

    def line(bound: str, **style: Any) -> Figure:
        values = [float(start[1]), *(float(getattr(each, bound)) for each in spent.forecast)]
        return {
            "type": "scatter",
            "mode": "lines",
            "x": days,
            "y": values,
            "hoverinfo": "skip",
        } | style

    end = spent.forecast[-1]
    layout["annotations"].append(
        {
            "text": money_range(end.low_usd, end.high_usd),
            "x": end.day.isoformat(),
            "y": float(end.high_usd),
            "xanchor": "right",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"weight": 600},
        }
    )
    return [
        line("low_usd", line={"width": 0}),
        line("high_usd", line={"width": 0}, fill="tonexty", fillcolor="var(--accent) / 0.13"),
        line(
            "mid_usd",
            line={"color": "var(--accent)", "width": 2, "dash": "dash"},
            name="forecast",
            hoverinfo="all",
            hovertemplate="forecast: $%{y:,.2f}<extra></extra>",
        ),
    ]


def _top(spent: Spending) -> float:
    """Return the highest dollars there are to see: spent, forecast, or a budget in reach."""
    top = max(spent.total_usd, spent.at_end.high_usd if spent.at_end else Decimal(0))
    return float(max(top, spent.budget_usd or 0) if _is_near(spent, top) else top) or 1


def _is_near(spent: Spending, top: Decimal) -> bool:
    return spent.budget_usd is not None and (not top or spent.budget_usd <= FAR_ABOVE * top)


def _budget_line(spent: Spending, layout: Figure) -> None:
    top = max(spent.total_usd, spent.at_end.high_usd if spent.at_end else Decimal(0))
    if spent.budget_usd is None:
        return
    text = f"budget {money(spent.budget_usd)}"
    near = _is_near(spent, top)
    if near:
        line = {"color": "var(--bad)", "width": 1.5}
        y = float(spent.budget_usd)
        for note in layout["annotations"]:
            # A forecast that ends just below would have the line run through its words.
            if 0.9 * y < note["y"] < y:
                note["y"] = y
        layout["shapes"].append(
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}
        )
        layout["yaxis"]["range"] = [0, 1.12 * _top(spent)]
    layout["annotations"].append(
        {
            "text": text if near else f"{text}: above this chart",
            "xref": "paper",
            "x": 0.01,
            "yref": "y" if near else "paper",
            "y": float(spent.budget_usd) if near else 1,
            "xanchor": "left",
            "yanchor": "bottom" if near else "top",
            "showarrow": False,
            "font": {"color": "var(--bad)", "weight": 600},
        }
    )
