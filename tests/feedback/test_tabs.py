from apps.feedback.tabs import tabs_of
from apps.pilots.models import Stage
from tests.factories import make_pilot


def test_the_section_has_its_pages_and_marks_the_one_in_view(db):
    pilot = make_pilot(slug="spring")

    tabs = {tab.label: (tab.url, tab.current) for tab in tabs_of(pilot, "my_votes")}

    assert tabs["Answers"] == ("/pilots/spring/rate/", False)
    assert tabs["My votes"] == ("/pilots/spring/votes/", True)


def test_what_is_compared_depends_on_the_stage(db):
    screening = make_pilot(stage=Stage.SCREENING)

    labels = {tab.label for tab in tabs_of(screening, "rate")}

    assert "Compare blind" not in labels
