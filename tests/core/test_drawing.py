import pytest

from apps.core import drawing


def test_marks_repeat_hollow_after_seven():
    first, eighth, fifteenth = (drawing.candidate_mark(n) for n in (1, 8, 15))

    assert (first.color, first.hollow) == ("c1", False)
    assert (eighth.color, eighth.path, eighth.hollow) == ("c1", first.path, True)
    assert fifteenth == first


def test_the_charts_symbol_matches_the_tables_mark():
    third, tenth = drawing.candidate_marker(3), drawing.candidate_marker(10)

    assert (third["color"], third["symbol"]) == ("var(--c3)", "triangle-up")
    assert (tenth["color"], tenth["symbol"]) == ("var(--c3)", "triangle-up-open")


def test_an_interval_is_placed_on_its_scale():
    bar = drawing.interval_bar(0.25, 0.5, 0.75, lo=0, hi=1, ref=0.5, width=110)

    assert (bar.left, bar.span, bar.mid, bar.ref) == (27.5, 55.0, 55.0, 55.0)


def test_what_lies_outside_the_scale_is_drawn_at_its_edge():
    bar = drawing.interval_bar(-5, 2, 9, lo=0, hi=1, ref=None, width=110)

    assert (bar.left, bar.span, bar.mid, bar.ref) == (2.5, 105.0, 105.0, None)


def test_an_unknown_interval_draws_nothing():
    bar = drawing.interval_bar(None, None, None, lo=0, hi=0, ref=0, width=110)

    assert (bar.span, bar.mid, bar.ref) == (0.0, None, 5.0)


def test_a_gap_breaks_the_trend():
    line = drawing.sparkline([1, 3, None, 2], width=66, height=26)

    assert line.runs == ("3,23 23,3", "63,13")
    assert line.last == (63.0, 13.0)


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_trend_of_nothing_is_empty(values):
    assert drawing.sparkline(values).runs == ()


def test_a_flat_trend_stands_in_the_middle():
    assert drawing.sparkline([4, 4], width=66, height=26).runs == ("3,13 63,13",)


@pytest.mark.parametrize(
    ("value", "most", "percent"), [(5, 20, 25.0), (30, 20, 100.0), (1, 0, 0.0), (None, 20, 0.0)]
)
def test_a_share_stays_between_nothing_and_all(value, most, percent):
    assert drawing.share(value, most) == percent


def test_a_timeline_fills_its_whole_width():
    steps = [drawing.Segment("a", 100), drawing.Segment("b", 300)]

    placed = drawing.timeline(steps)

    assert [(step.x, step.width) for step in placed] == [(0.0, 25.0), (25.0, 75.0)]


def test_tags_in_a_charts_text_are_escaped():
    assert drawing.chart_text('<a href="x">&') == '&lt;a href="x"&gt;&amp;'
