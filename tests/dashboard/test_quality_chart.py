"""Quality against cost."""

from decimal import Decimal

import pytest

from apps.dashboard.leaderboard import leaderboard
from apps.dashboard.quality_chart import cost_axis, frontier, quality_against_cost
from apps.metrics.quality import qualities
from tests.dashboard.pieces import ALL, candidate, rated
from tests.metrics.test_quality import KNOWN, finding


def board(**names):
    known = {
        1: rated(45, 50, answer_token_usd=Decimal("0.5")),
        2: rated(30, 50, answer_token_usd=Decimal("0.25")),
        3: rated(0, 0, answer_token_usd=Decimal(9)),
    }
    return leaderboard([candidate(n, **names) for n in known], known, reader=ALL)


def test_each_rated_candidate_is_a_point_with_its_interval():
    data = quality_against_cost(board())["data"]

    points = [(trace["x"], trace["y"]) for trace in data if trace["mode"] == "markers+text"]
    assert points == [([0.01], [0.9]), ([0.005], [0.6])]
    liked = board()[0].liked
    bar = data[1]["error_y"]
    assert (bar["array"], bar["arrayminus"]) == ([liked.high - 0.9], [0.9 - liked.low])


def test_names_cannot_bring_markup_into_a_chart():
    data = quality_against_cost(board(name="<b>x</b>"))["data"]

    assert data[1]["text"] == ["&lt;b&gt;x&lt;/b&gt;"]


def test_without_ratings_there_is_no_point():
    assert quality_against_cost([])["data"] == []


@pytest.mark.parametrize(
    ("points", "front"),
    [
        ([(3, 0.9), (1, 0.5), (2, 0.4)], [(1, 0.5), (3, 0.9)]),
        ([(1, 0.5), (1, 0.7)], [(1, 0.7)]),
        ([(1, 0.5), (2, 0.5)], [(1, 0.5)]),
        ([], []),
    ],
)
def test_the_frontier_is_what_nothing_beats_in_both(points, front):
    assert frontier(points) == front


def test_costs_far_apart_stand_on_a_logarithmic_axis():
    assert cost_axis([0.01, 0.05])["range"] == [-0.0015, pytest.approx(0.0575)]
    far = cost_axis([0.001, 0.5])
    assert far["type"] == "log"
    assert ("$0.01", 0.01) in zip(far["ticktext"], far["tickvals"], strict=True)
    # What is free has no logarithm.
    assert "type" not in cost_axis([0, 0.5])


def test_a_primary_measure_is_the_only_quality():
    known = {n: rated(45, 50, answer_token_usd=Decimal("0.5")) for n in (1, 2, 3)}
    (chat,) = qualities([finding()], KNOWN, reader=ALL)
    rows = leaderboard([candidate(n) for n in known], known, reader=ALL, role=chat)

    figure = quality_against_cost(rows)

    points = [trace for trace in figure["data"] if trace["mode"] == "markers+text"]
    assert [(trace["name"], trace["y"]) for trace in points] == [
        ("Model 1", [4.0]),
        ("Model 2", [3.2]),
    ]
    assert points[0]["hovertemplate"].startswith("Model 1<br>4.0 (3.8–4.3), daily question, of 5")
    assert figure["layout"]["yaxis"]["tickformat"] == ".1f"
