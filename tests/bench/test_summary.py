"""The pure parts of the bench; no figure is measured here."""

import pytest

from bench.phases import percentile
from bench.summary import judged, median, summary


def run(**figures):
    return {"requests": 10, "finished": 10, "failures": {}} | figures


def figures(**proxies):
    """Proxy -> median CPU of a plain request."""
    return {name: {"plain_32": {"cpu_us": {"median": cpu}}} for name, cpu in proxies.items()}


def test_figures_are_medians_with_the_lowest_and_highest():
    runs = {"a": {"plain_1": [run(cpu_us=3.0), run(cpu_us=1.0), run(cpu_us=2.0)]}}

    found = summary(runs)["a"]["plain_1"]

    assert found == {
        "requests": 30,
        "finished": 30,
        "held": 0,
        "failures": {},
        "cpu_us": {"median": 2.0, "lowest": 1.0, "highest": 3.0},
    }


def test_what_is_added_is_taken_from_direct_of_the_same_repetition():
    runs = {
        "direct": {"plain_1": [run(median_ms=1.0), run(median_ms=10.0)]},
        "a": {"plain_1": [run(median_ms=1.5), run(median_ms=10.7)]},
    }

    found = summary(runs)["a"]["plain_1"]["added_median_ms"]

    assert found == {"median": 0.6, "lowest": 0.5, "highest": 0.7}


def test_failures_are_summed_by_reason_and_leave_figures_out():
    refused = {"requests": 10, "finished": 0, "failures": {"HTTP 500": 10}}
    runs = {"a": {"streams_32": [refused, refused, run(failures={"HTTP 500": 1, "late": 2})]}}

    found = summary(runs)["a"]["streams_32"]

    assert found == {
        "requests": 30,
        "finished": 10,
        "held": 0,
        "failures": {"HTTP 500": 21, "late": 2},
    }


@pytest.mark.parametrize(
    ("nginx", "litellm", "expected"),
    [
        (5.0, 5_000.0, [(18.0, True), (55.56, True)]),
        (4.9, 4_499.0, [(18.37, False), (49.99, False)]),
    ],
)
def test_a_target_holds_up_to_its_bound(nginx, litellm, expected):
    found = judged(figures(pilotdash=90.0, nginx=nginx, litellm=litellm), "pilotdash")

    assert [(each["found"], each["held"]) for each in found[:2]] == expected


def test_a_target_without_its_rival_is_neither_held_nor_missed():
    found = judged(figures(pilotdash=90.0, nginx=5.0), "pilotdash")

    assert [(each["found"], each["held"]) for each in found[1:3]] == [(None, None), (None, None)]


def test_a_figure_that_is_missing_has_no_median():
    assert median(figures(nginx=1.0), "litellm", "plain_32", "cpu_us") is None


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, 1), (99, 99), (100, 99), (101, 100), (200, 198)],
)
def test_the_99th_percentile_is_the_nearest_rank(count, expected):
    assert percentile([float(n) for n in range(1, count + 1)], 99) == expected
