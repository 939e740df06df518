"""The page of one's own votes."""

from datetime import timedelta

import pytest

from apps.accounts.models import Role
from apps.feedback.actions import rate
from tests.factories import NOON, make_candidate, make_user
from tests.feedback.blind import make_rotation

pytestmark = pytest.mark.usefixtures("clock")


def url(world):
    return f"/pilots/{world.pilot.slug}/votes/"


def give(world, *, person=None, score=1, **fields):
    person = person or world.person
    call = world.call(person=person, **fields)
    rate(call=call, person=person, score=score, scale="thumbs", via="page", now=NOON)


def test_the_page_says_what_to_do_before_the_first_vote(signed_in, world):
    html = signed_in.get(url(world)).content.decode()

    assert "Nothing said yet" in html
    assert f"/pilots/{world.pilot.slug}/rate/" in html


def test_a_lead_who_takes_no_part_is_told_so(client, world):
    client.force_login(make_user(role=Role.LEAD))

    assert "You do not take part in this pilot" in client.get(url(world)).content.decode()


def test_the_page_tells_what_ones_ratings_changed(signed_in, world):
    give(world)
    for n in range(5):
        give(world, person=world.colleague().person, score=n % 2)

    html = " ".join(signed_in.get(url(world)).content.decode().split())

    assert "of 6, which is 17%" in html
    assert "Without mine, 40% of this pilot’s rated answers are liked" in html
    assert "With mine it is 50%" in html


def test_a_blind_pilot_tells_no_candidate(signed_in, world):
    other = make_candidate(name="The Other One")
    make_rotation(world.pilot, world.candidate, other)
    give(world, alias="pilot-chat")
    give(world, alias="pilot-chat", candidate=other)

    blind = signed_in.get(url(world)).content.decode()
    world.pilot.unblinded_at = NOON
    world.pilot.save(update_fields=["unblinded_at"])
    told = signed_in.get(url(world)).content.decode()

    for name in (world.candidate.name, other.name):
        assert name not in blind
        assert name in told
    assert "Blind answers, all together" in blind


@pytest.mark.parametrize("votes", [1, 4])
def test_the_page_asks_the_same_queries_for_any_number_of_votes(
    signed_in, world, votes, django_assert_num_queries
):
    for minutes in range(votes):
        give(world, candidate=make_candidate(), at=NOON - timedelta(minutes=minutes))
    signed_in.get(url(world))

    with django_assert_num_queries(17):
        response = signed_in.get(url(world))

    assert len(response.context["rows"]) == votes
