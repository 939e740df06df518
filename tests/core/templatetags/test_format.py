from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template, TemplateSyntaxError

THEN = datetime(2025, 12, 2, 13, 58, tzinfo=UTC)
NO_DATA = (
    '<span class="none"><span aria-hidden="true">–</span><span class="sr">no data</span></span>'
)


def render(source, **values):
    return Template("{% load format %}" + source).render(Context(values))


@pytest.mark.parametrize(
    ("source", "value", "text"),
    [
        ("{{ value|money }}", Decimal("1840"), "$1,840"),
        ("{{ value|money }}", 0.031, "$0.031"),
        ("{{ value|percent }}", 0.78, "78%"),
        ("{{ value|percent:1 }}", 0.78, "78.0%"),
        ("{{ value|points }}", 0.04, "+4 pts"),
        ("{{ value|number }}", 12345, "12,345"),
        ("{{ value|signed:1 }}", 2, "+2.0"),
        ("{{ value|ms }}", 420, "420 ms"),
        ("{{ value|seconds }}", 420, "0.42 s"),
        ("{{ value|tokens }}", 12_345, "12.3k"),
    ],
)
def test_filters_write_figures_and_say_where_there_are_none(source, value, text):
    assert render(source, value=value) == text
    assert render(source, value=None) == NO_DATA


@pytest.mark.parametrize(
    ("kind", "low", "high", "text"),
    [
        ("percent", 0.72, 0.83, "72–83"),
        ("number", 992, 1049, "992–1,049"),
        ("money", Decimal(1840), Decimal(2310), "$1,840–2,310"),
        ("percent", None, 0.83, NO_DATA),
    ],
)
def test_interval_knows_its_kinds(kind, low, high, text):
    assert render("{% interval low high kind %}", low=low, high=high, kind=kind) == text


def test_an_unknown_kind_of_interval_is_refused():
    with pytest.raises(TemplateSyntaxError, match="'dollars'"):
        render("{% interval 1 2 'dollars' %}")


def test_ago_counts_from_the_pages_now():
    text = render("{% ago then %}", then=THEN, now=datetime(2025, 12, 2, 14, 5, tzinfo=UTC))

    assert text == (
        '<time datetime="2025-12-02T13:58:00+00:00" title="2025-12-02 13:58:00 UTC">'
        "7 min ago</time>"
    )


def test_ago_without_a_moment_says_so():
    assert render("{% ago nothing %}", nothing=None) == NO_DATA


def test_a_moment_is_local_and_its_title_utc(settings):
    settings.TIME_ZONE = "Europe/Berlin"

    text = render("{{ then|moment }}{{ nothing|moment }}", then=THEN, nothing=None)

    assert text == (
        '<time datetime="2025-12-02T13:58:00+00:00" title="2025-12-02 13:58:00 UTC">'
        f"2 Dec 14:58</time>{NO_DATA}"
    )
