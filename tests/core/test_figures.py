from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import figures

NOW = datetime(2025, 12, 2, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "$0"),
        ("1840.4", "$1,840"),
        ("999.994", "$999.99"),
        ("999.995", "$1,000"),
        ("1.225", "$1.23"),
        ("0.5", "$0.50"),
        ("0.0995", "$0.10"),
        ("0.0314", "$0.031"),
        ("0.0004", "$0.0004"),
        ("0.000425", "$0.00043"),
        ("0.0000001", "<$0.000001"),
        ("-2.5", "−$2.50"),  # noqa: RUF001 (a true minus)
        ("-1840", "−$1,840"),  # noqa: RUF001
    ],
)
def test_money_shows_the_digits_that_matter(usd, text):
    assert figures.money(Decimal(usd)) == text


def test_a_range_of_money_names_its_currency_once():
    assert figures.money_range(Decimal(1840), Decimal(2310)) == "$1,840–2,310"


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0, "0%"),
        (0.78, "78%"),
        (Decimal("0.114"), "11%"),
        (0.0994, "9.9%"),
        (0.0995, "10%"),
        (0.004, "0.4%"),
        (0.0004, "<0.1%"),
        (1, "100%"),
    ],
)
def test_percent_has_a_decimal_below_ten(fraction, text):
    assert figures.percent(fraction) == text


def test_percent_keeps_to_the_digits_asked_for():
    assert figures.percent(0.78125, 2) == "78.13%"


@pytest.mark.parametrize(
    ("difference", "text"),
    [(0.04, "+4 pts"), (-0.125, "−13 pts"), (0.025, "+2.5 pts"), (0, "±0 pts")],  # noqa: RUF001
)
def test_points_are_signed(difference, text):
    assert figures.points(difference) == text


@pytest.mark.parametrize(
    ("ms", "unit_that_fits", "in_seconds"),
    [
        (0, "0 ms", "0.00 s"),
        (420, "420 ms", "0.42 s"),
        (999.4, "999 ms", "1.0 s"),
        (999.6, "1.0 s", "1.0 s"),
        (1340, "1.3 s", "1.3 s"),
        (9960, "10 s", "10 s"),
        (59_600, "1 min 0 s", "1 min 0 s"),
        (125_000, "2 min 5 s", "2 min 5 s"),
        (3_725_000, "1 h 2 min", "1 h 2 min"),
    ],
)
def test_durations(ms, unit_that_fits, in_seconds):
    assert (figures.milliseconds(ms), figures.seconds(ms)) == (unit_that_fits, in_seconds)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (12_345, "12.3k"),
        (123_456, "123k"),
        (999_950, "1.0M"),
        (1_240_000, "1.2M"),
        (7_100_000_000, "7.1B"),
    ],
)
def test_counts_have_three_digits(count, text):
    assert figures.compact(count) == text


@given(st.integers(min_value=0, max_value=10**15))
def test_counts_are_short_and_near(count):
    text = figures.compact(count)
    scale = {"k": 10**3, "M": 10**6, "B": 10**9}.get(text[-1], 1)
    value = float(text.rstrip("kMB").replace(",", "")) * scale

    assert abs(value - count) <= 0.051 * count


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(minutes=59, seconds=40), "1 h ago"),
        (timedelta(hours=30), "1 day ago"),
        (timedelta(days=-3), "in 3 days"),
        (timedelta(days=91), "3 months ago"),
    ],
)
def test_relative_time(gap, text):
    assert figures.relative_time(NOW - gap, NOW) == text


def test_intervals_are_written_without_units():
    assert figures.percent_interval(0.716, Decimal("0.834")) == "72–83"
    assert figures.interval(992, 1049) == "992–1,049"


def test_nothing_known_is_a_dash_everywhere():
    assert {
        figures.money(None),
        figures.money_range(None, Decimal(1)),
        figures.percent(None),
        figures.points(None),
        figures.number(None),
        figures.signed(None),
        figures.interval(1, None),
        figures.percent_interval(None, 1),
        figures.milliseconds(None),
        figures.seconds(None),
        figures.compact(None),
        figures.relative_time(None, NOW),
    } == {"–"}


def test_a_number_that_rounds_to_nothing_has_no_sign():
    assert (figures.number(-0.2), figures.signed(-0.2), figures.signed(2.5)) == ("0", "±0", "+3")
