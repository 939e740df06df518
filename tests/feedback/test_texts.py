from decimal import Decimal

import pytest

from apps.accounts.models import AuditEntry
from apps.feedback.texts import change_questions
from apps.pilots.models import Pilot
from apps.pilots.trail import PilotClosed
from tests.factories import NOON


def change(world, daily="", pulse=(), share="0.05"):
    return change_questions(
        pilot=world.pilot,
        daily=daily,
        pulse=pulse,
        sample_share=Decimal(share),
        actor=None,
        now=NOON,
    )


def stored():
    return Pilot.objects.values_list("daily_question", "pulse_questions", "sample_share").get()


def test_texts_are_changed_and_the_change_is_on_the_trail(world):
    change(world, "Helpful?", ["Trust?", "", "", ""], "0.1")

    assert stored() == ("Helpful?", ["Trust?", "", "", ""], Decimal("0.1"))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject) == ("questions changed", f"pilot {world.pilot.slug}")
    assert entry.detail == {
        "daily_question": ["", "Helpful?"],
        "pulse_questions": [[], ["Trust?", "", "", ""]],
        "sample_share": ["0.050", "0.1"],
    }


def test_empty_texts_stand_for_ours(world):
    change(world, "Helpful?", ["Trust?"] * 4)
    change(world, "", ["", "", "", ""])

    assert stored() == ("", [], Decimal("0.050"))


def test_the_same_again_is_no_change(world):
    change(world)

    assert not AuditEntry.objects.exists()


def test_a_closed_pilot_asks_nothing_else(world):
    world.pilot.closed_at = NOON
    world.pilot.save(update_fields=["closed_at"])

    with pytest.raises(PilotClosed):
        change(world, "Helpful?")
