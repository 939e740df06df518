from apps.feedback.tabs import Tab, tabs_of
from apps.pilots.models import Stage
from tests.factories import make_pilot


def test_the_section_has_its_pages_and_marks_the_one_in_view(db):
    pilot = make_pilot(slug="spring")

    assert tabs_of(pilot, "my_votes") == [
        Tab("Today", "/pilots/spring/today/", False),
        Tab("Answers", "/pilots/spring/rate/", False),
        Tab("Compare blind", "/pilots/spring/blind/", False),
        Tab("My votes", "/pilots/spring/votes/", True),
    ]


def test_in_the_screening_answers_are_compared_side_by_side(db):
    pilot = make_pilot(slug="spring", stage=Stage.SCREENING)

    assert tabs_of(pilot, "side_by_side")[2] == Tab(
        "Side by side", "/pilots/spring/side-by-side/", True
    )
