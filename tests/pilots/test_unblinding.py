"""Ending the blindness: once, with a reason, on record."""

import pytest

from apps.pilots.blindness import blind_aliases, is_unblinded
from apps.pilots.models import PilotEvent
from apps.pilots.trail import PilotClosed
from apps.pilots.unblinding import NoReason, UnblindedAlready, unblind_pilot
from tests.factories import NOON, make_person, make_pilot
from tests.trail import audited, versions

pytestmark = pytest.mark.django_db


def test_pilot_is_unblinded_once_with_a_reason_on_record():
    pilot, actor = make_pilot(slug="first"), make_person()

    with pytest.raises(NoReason):
        unblind_pilot(pilot=pilot, reason=" \n ", now=NOON, actor=actor)
    unblind_pilot(pilot=pilot, reason="A leaks\nkeys", now=NOON, actor=actor)
    with pytest.raises(UnblindedAlready):
        unblind_pilot(pilot=pilot, reason="Again", now=NOON, actor=actor)

    pilot.refresh_from_db()
    assert (pilot.unblinded_at, is_unblinded(pilot), blind_aliases(pilot)) == (
        NOON,
        True,
        frozenset(),
    )
    assert audited() == [("pilot unblinded", "pilot first", {"reason": "A leaks keys"})]
    assert versions() == 1
    event = PilotEvent.objects.get()
    assert (event.text, event.at, event.actor, event.is_automatic) == (
        "Unblinded: A leaks keys",
        NOON,
        actor,
        True,
    )


def test_closed_pilot_is_unblinded_already():
    with pytest.raises(PilotClosed):
        unblind_pilot(pilot=make_pilot(closed_at=NOON), reason="Why not", now=NOON)
