from datetime import timedelta

import pytest

from apps.dashboard.candidate_charts import cost_by_day, latency_distribution, shape_of
from apps.metrics.histogram import bucket_of
from apps.metrics.queries_days import CandidateDay
from apps.metrics.sums import Figures, LatencySums
from tests.dashboard.pieces import TODAY, figures


def test_idle_machines_stand_on_what_calls_cost():
    days = [
        CandidateDay(TODAY - timedelta(days=1), figures(usage={"token_usd": 2}, busy=1, idle=5)),
        CandidateDay(TODAY, figures()),
    ]

    figure = cost_by_day(days, 3)

    assert [(trace["name"], trace["y"]) for trace in figure["data"]] == [
        ("calls", [3, 0]),
        ("idle machines", [5, 0]),
    ]
    assert figure["data"][0]["x"] == ["2026-11-17", "2026-11-18"]


def test_a_day_of_few_people_is_a_gap():
    days = [CandidateDay(TODAY, Figures(is_hidden=True)), CandidateDay(TODAY, figures(idle=2))]

    assert [trace["y"] for trace in cost_by_day(days, 1)["data"]] == [[None, 0], [None, 2]]


def test_without_machines_nothing_is_idle():
    figure = cost_by_day([CandidateDay(TODAY, figures(usage={"token_usd": 2}))], 1)

    assert [trace["name"] for trace in figure["data"]] == ["calls"]


def test_the_shape_of_a_distribution_holds_every_call_and_ends_at_zero():
    at, shares = shape_of({bucket_of(ms): n for ms, n in ((300, 3), (310, 4), (2000, 3))})

    assert sum(shares) == pytest.approx(1)
    assert (shares[0], shares[-1]) == (0, 0)
    assert at == sorted(at)
    # The larger part lies around 0.3 s.
    assert at[shares.index(max(shares))] == pytest.approx(0.3, rel=0.15)


def test_a_distribution_of_nothing_is_empty():
    figure = latency_distribution(LatencySums(), 1)

    assert [trace["x"] for trace in figure["data"]] == [[], []]
