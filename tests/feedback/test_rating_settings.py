import pytest

from apps.accounts.models import AuditEntry
from apps.feedback.rating_settings import change_rating_settings
from apps.feedback.words import BadTag
from apps.pilots.models import Pilot
from apps.pilots.origins import NotAnOrigin
from apps.pilots.trail import PilotClosed
from tests.factories import NOON, make_person, make_pilot

TOOLS = "https://tools.example.com"


def stored(pilot):
    found = Pilot.objects.get(id=pilot.id)
    return found.rating_tags, found.widget_origins


def test_both_lists_are_replaced_and_the_change_is_on_record(db):
    pilot, actor = make_pilot(rating_tags=["old"]), make_person()

    change_rating_settings(
        pilot=pilot,
        rating_tags=["On  The Spot", "on the spot", "wrong"],
        widget_origins=[f"{TOOLS}/"],
        now=NOON,
        actor=actor,
    )

    assert stored(pilot) == (["on the spot", "wrong"], [TOOLS])
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject) == (
        "pilot changed",
        actor,
        f"pilot {pilot.slug}",
    )
    assert entry.detail == {
        "rating_tags": ["old", "on the spot, wrong"],
        "widget_origins": ["none", TOOLS],
    }


def test_no_change_leaves_no_trail(db):
    pilot = make_pilot(rating_tags=["old"])

    change_rating_settings(pilot=pilot, rating_tags=["old"], widget_origins=[], now=NOON)

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("tags", "origins", "refusal"),
    [
        (["<b>"], [], BadTag),
        ([f"tag {n}" for n in range(13)], [], BadTag),
        ([], ["https://*.example.com"], NotAnOrigin),
    ],
)
def test_what_is_malformed_changes_nothing(db, tags, origins, refusal):
    pilot = make_pilot(rating_tags=["old"])

    with pytest.raises(refusal):
        change_rating_settings(pilot=pilot, rating_tags=tags, widget_origins=origins, now=NOON)

    assert stored(pilot) == (["old"], [])


def test_a_closed_pilot_does_not_change(db):
    pilot = make_pilot(closed_at=NOON)

    with pytest.raises(PilotClosed):
        change_rating_settings(pilot=pilot, rating_tags=[], widget_origins=[], now=NOON)
