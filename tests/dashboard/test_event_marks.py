"""Events of a pilot on its charts."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from apps.dashboard.event_marks import Mark, marked, marks_of
from apps.pilots.models import PilotEvent

BERLIN = ZoneInfo("Europe/Berlin")
CHART = {"data": [{"x": []}], "layout": {"margin": {"t": 8, "r": 1}, "shapes": [{"type": "rect"}]}}


def event(day, text, hour=12):
    return PilotEvent(at=datetime(2026, 11, day, hour, tzinfo=UTC), text=text)


def test_days_are_those_of_the_pilot_and_share_a_letter():
    found = marks_of(
        [event(12, "late", hour=23), event(10, "vLLM upgraded"), event(13, "price halved")], BERLIN
    )

    assert found == [
        Mark("a", date(2026, 11, 10), ("vLLM upgraded",)),
        Mark("b", date(2026, 11, 13), ("late", "price halved")),
    ]


def test_the_newest_eight_days_are_marked():
    found = marks_of([event(day, str(day)) for day in range(1, 13)], BERLIN)

    assert [mark.texts for mark in found] == [(str(day),) for day in range(5, 13)]
    assert [mark.letter for mark in found] == list("abcdefgh")


def test_a_mark_is_a_line_and_a_letter():
    chart = marked(CHART, [Mark("a", date(2026, 11, 10), ("x",))])

    assert [shape["type"] for shape in chart["layout"]["shapes"]] == ["rect", "line"]
    assert chart["layout"]["shapes"][1]["x0"] == "2026-11-10"
    assert [note["text"] for note in chart["layout"]["annotations"]] == ["a"]
    assert chart["layout"]["margin"] == {"t": 18, "r": 1}
    assert CHART["layout"]["shapes"] == [{"type": "rect"}]


def test_an_empty_chart_stays_empty():
    empty = {"data": [], "layout": {}}

    assert marked(empty, [Mark("a", date(2026, 11, 10), ("x",))]) == empty
    assert marked(CHART, []) == CHART
