from datetime import UTC, date, datetime
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from apps.core.period_picker import PeriodChoice, span_of_days
from apps.core.periods import Period, period_of_days

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
# 2 to 29 November; it is Wednesday the 18th, 14:05 in UTC.
PILOT = period_of_days(date(2026, 11, 2), date(2026, 11, 29), UTC_ZONE)
NOW = datetime(2026, 11, 18, 14, 5, tzinfo=UTC)


def choose(query="", *, pilot=PILOT, zone=UTC_ZONE, now=NOW):
    return PeriodChoice(QueryDict(query), pilot, zone, now)


@pytest.mark.parametrize(
    ("query", "first", "last", "label"),
    [
        ("", 5, 18, "the last 14 days"),
        ("days=7", 12, 18, "the last 7 days"),
        # Never before the pilot.
        ("days=28", 2, 18, "the last 17 days"),
        ("days=pilot", 2, 18, "the whole pilot so far"),
        ("from=2026-11-04&to=2026-11-06", 4, 6, "4\u20136 Nov"),
        # Today is the end where none is given, and never beyond it.
        ("from=2026-11-04", 4, 18, "4\u201318 Nov"),
        ("from=2026-10-01&to=2026-12-01", 2, 18, "2\u201318 Nov"),
        # A wish that makes no sense is the default.
        ("days=13", 5, 18, "the last 14 days"),
        ("from=2026-11-06&to=2026-11-04", 5, 18, "the last 14 days"),
        ("from=yesterday", 5, 18, "the last 14 days"),
    ],
)
def test_a_query_string_names_whole_days_of_the_pilot(query, first, last, label):
    choice = choose(query)

    assert choice.period == period_of_days(
        date(2026, 11, first), date(2026, 11, last), ZoneInfo("UTC")
    )
    assert choice.label == label


def test_days_are_those_of_the_zone():
    pilot = period_of_days(date(2026, 10, 19), date(2026, 11, 8), BERLIN)

    choice = choose("from=2026-10-25&to=2026-10-25", pilot=pilot, zone=BERLIN)

    # The night the clocks go back: 25 hours.
    assert choice.period == Period(
        datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        (datetime(2026, 10, 1, tzinfo=UTC), 2, 2),  # not begun
        (datetime(2026, 11, 4, 9, tzinfo=UTC), 2, 4),  # shorter than the default so far
        (datetime(2027, 1, 1, tzinfo=UTC), 2, 29),  # over: all of it
    ],
)
def test_the_default_fits_the_age_of_the_pilot(now, first, last):
    choice = choose(now=now)

    assert (choice.days, choice.first.day, choice.last.day) == ("pilot", first, last)


def test_the_last_days_of_a_pilot_that_is_over_are_its_own():
    choice = choose("days=7", now=datetime(2027, 1, 1, tzinfo=UTC))

    assert (choice.first, choice.last) == (date(2026, 11, 23), date(2026, 11, 29))


def test_links_keep_other_parameters_but_no_place_in_a_list():
    choice = choose("days=7&task=chat&task=edit&after=xyz")

    assert [parse_qs(option.url.lstrip("?")) for option in choice.options] == [
        {"days": [days], "task": ["chat", "edit"]} for days in ("7", "14", "28", "pilot")
    ]
    assert [option.current for option in choice.options] == [True, False, False, False]
    assert choice.kept == [("task", "chat"), ("task", "edit")]


def test_arrows_move_by_the_length_and_stop_at_the_ends():
    choice = choose("from=2026-11-06&to=2026-11-08&task=chat")

    assert choice.earlier == "?from=2026-11-03&to=2026-11-05&task=chat"
    assert choice.later == "?from=2026-11-09&to=2026-11-11&task=chat"
    assert choose("days=pilot").earlier is None
    assert choose("days=7").later is None
    assert choose("from=2026-11-04&to=2026-11-06").earlier == "?from=2026-11-02&to=2026-11-04"


@pytest.mark.parametrize(
    ("query", "start", "end"),
    [
        # Today is half over, so the day a week before is cut at the same quarter.
        ("days=7", datetime(2026, 11, 5, tzinfo=UTC), datetime(2026, 11, 11, 14, tzinfo=UTC)),
        ("from=2026-11-08&to=2026-11-10", date(2026, 11, 5), date(2026, 11, 8)),
        # Three days of a week are compared with the same three.
        ("from=2026-11-11&to=2026-11-13&compare=weekdays", date(2026, 11, 4), date(2026, 11, 7)),
        # Cut where the pilot begins.
        ("from=2026-11-04&to=2026-11-07", date(2026, 11, 2), date(2026, 11, 4)),
    ],
)
def test_the_previous_period_is_as_long_and_as_far_along(query, start, end):
    def moment(of):
        return of if isinstance(of, datetime) else datetime(of.year, of.month, of.day, tzinfo=UTC)

    assert choose(query).previous == Period(moment(start), moment(end))


@pytest.mark.parametrize("query", ["days=pilot", "days=7&compare=none"])
def test_nothing_is_compared_before_the_pilot_or_when_told_so(query):
    assert choose(query).previous is None


def test_the_comparison_can_be_switched_and_keeps_the_rest():
    choice = choose("days=7&task=chat&compare=weekdays")

    assert [(option.url, option.current) for option in choice.compare_options] == [
        ("?days=7&task=chat&compare=previous", False),
        ("?days=7&task=chat&compare=weekdays", True),
        ("?days=7&task=chat&compare=none", False),
    ]
    assert choice.previous_dates == "5\u201311 Nov"


def test_spans_name_a_month_once():
    assert span_of_days(date(2026, 11, 9), date(2026, 11, 9)) == "9 Nov"
    assert span_of_days(date(2026, 10, 28), date(2026, 11, 4)) == "28 Oct \u2013 4 Nov"
