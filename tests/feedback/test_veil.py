import pytest

from apps.feedback.models import Rating
from apps.feedback.veil import Veil, with_alias
from apps.pilots.blindness import blind_aliases, blind_aliases_by_pilot
from apps.usage.models import Call
from apps.usage.veil import TOLD
from tests.factories import NOON, make_pilot
from tests.feedback.blind import make_rotation
from tests.feedback.ratings import rated


def test_blind_calls_are_hidden_until_everybody_may_know(world):
    make_rotation(world.pilot, world.candidate)
    pilot = world.pilot

    hidden = {alias: Veil([pilot]).hides(pilot.id, alias) for alias in ("pilot-chat", "chat")}
    assert hidden == {"pilot-chat": True, "chat": False}
    assert Veil([pilot]).is_down(pilot.id)

    for reason in ("unblinded_at", "closed_at"):
        setattr(pilot, reason, NOON)
        assert not Veil([pilot]).hides(pilot.id, "pilot-chat")
        assert not Veil([pilot]).is_down(pilot.id)
        setattr(pilot, reason, None)


def test_what_nobody_knows_is_hidden(world):
    """The call of a rating may be gone; a pilot may be one that nobody asked about."""
    pilot = world.pilot

    assert Veil([pilot]).hides(pilot.id, None)
    assert Veil([]).hides(pilot.id, "chat")
    assert Veil([]).is_down(pilot.id)
    pilot.closed_at = NOON
    assert not Veil([pilot]).hides(pilot.id, None)


def test_what_is_compared_is_blind_as_well(world):
    assert Veil([world.pilot]).hides(world.pilot.id, "compare")


def test_a_hidden_call_is_told_without_what_would_tell(world):
    make_rotation(world.pilot, world.candidate)
    blind, open_call = world.call(alias="pilot-chat"), world.call()
    veil = Veil([world.pilot])

    told = [veil.told(row) for row in Call.objects.order_by("id").values()]

    by_id = {row["id"]: row for row in told}
    assert tuple(by_id[blind.id]) == TOLD
    assert by_id[open_call.id]["candidate_id"] == world.candidate.id
    for name in ("candidate_id", "provider_id", "cost_usd", "total_ms", "stored_at", "attempts"):
        assert name not in TOLD


def test_a_rating_knows_what_its_call_had_asked_for(world):
    kept, gone = world.call(alias="pilot-chat"), world.call()
    rated(world, kept)
    rated(world, gone)
    Call.objects.filter(id=gone.id).delete()

    found = with_alias(Rating.objects.order_by("id")).values_list("call_id", "alias")

    assert list(found) == [(kept.id, "pilot-chat"), (gone.id, None)]


@pytest.mark.parametrize("pilots", [2, 4])
def test_one_query_for_any_number_of_pilots(db, pilots, django_assert_num_queries):
    made = [make_pilot() for _ in range(pilots)]
    for pilot in made:
        make_rotation(pilot, alias="pilot-chat")
        make_rotation(pilot, alias="pilot-edit", role="edit")
    made[0].unblinded_at = NOON

    with django_assert_num_queries(1):
        found = blind_aliases_by_pilot(made)

    blind = frozenset({"pilot-chat", "pilot-edit", "compare"})
    assert found == {pilot.id: blind for pilot in made} | {made[0].id: frozenset()}
    assert blind_aliases(made[-1]) == found[made[-1].id]
