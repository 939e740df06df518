from datetime import timedelta
from decimal import Decimal

import pytest

from apps.dashboard.charts import dollar_axis, spending_over_time
from apps.dashboard.spending import spending
from apps.metrics.queries_days import DaySpend
from tests.dashboard.pieces import ALL, TODAY, candidate


@pytest.mark.parametrize(
    ("top", "texts"),
    [
        (0.00092, ["$0", "$0.0002", "$0.0004", "$0.0006", "$0.0008"]),
        (1.34, ["$0", "$0.50", "$1.00"]),
        (5.5, ["$0", "$1", "$2", "$3", "$4", "$5"]),
        (1680, ["$0", "$500", "$1,000", "$1,500"]),
        (1, ["$0", "$0.20", "$0.40", "$0.60", "$0.80", "$1.00"]),
    ],
)
def test_dollars_on_an_axis_are_plain(top, texts):
    axis = dollar_axis(top)

    assert axis["ticktext"] == texts
    assert len(axis["tickvals"]) == len(texts)


def spent(*, budget_usd, is_running=True):
    days = [DaySpend(TODAY - timedelta(days=n), Decimal(10), Decimal(0), 0) for n in (3, 2, 1, 0)]
    return spending(
        [candidate(1), candidate(2)],
        {1: days, 2: days},
        reader=ALL,
        budget_usd=budget_usd and Decimal(budget_usd),
        today=TODAY,
        last=TODAY + timedelta(days=2),
        is_running=is_running,
    )


def test_spending_is_stacked_and_goes_on_as_a_fan():
    figure = spending_over_time(spent(budget_usd=100))

    stacked, together, fan = figure["data"][:2], figure["data"][2], figure["data"][3:]
    assert [trace["y"] for trace in stacked] == [[10, 20, 30, 40]] * 2
    assert together["y"] == [20, 40, 60, 80]
    # It leaves where the last whole day ended.
    assert [trace["y"] for trace in fan] == [[60, 80, 100, 120]] * 3
    assert fan[0]["x"] == ["2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"]
    assert figure["layout"]["shapes"][0]["y0"] == 100
    assert [note["text"] for note in figure["layout"]["annotations"]] == [
        "$120.00–120.00",
        "budget $100.00",
    ]


def test_a_forecast_just_below_the_budget_is_written_above_its_line():
    budget, end = 121, 120
    notes = spending_over_time(spent(budget_usd=budget))["layout"]["annotations"]

    assert (notes[0]["text"], notes[0]["y"]) == (f"${end}.00–{end}.00", budget)


def test_a_budget_far_above_is_told_instead_of_drawn():
    layout = spending_over_time(spent(budget_usd=1000))["layout"]

    assert layout["shapes"] == []
    assert layout["annotations"][-1]["text"] == "budget $1,000: above this chart"


def test_a_pilot_that_is_over_has_no_fan():
    figure = spending_over_time(spent(budget_usd=None, is_running=False))

    assert [trace["name"] for trace in figure["data"]] == ["Model 1", "Model 2", "together"]
    assert figure["layout"]["annotations"] == []
