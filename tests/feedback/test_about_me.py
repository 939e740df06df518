import json
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import Role
from apps.feedback.actions import rate
from apps.feedback.models import Rating
from apps.usage.ingest import store_records
from tests.factories import (
    NOON,
    PASSWORD,
    make_enrollment,
    make_key,
    make_pilot,
    make_price,
    make_record,
    make_user,
)
from tests.feedback.blind import make_rotation
from tests.feedback.conftest import AT

pytestmark = pytest.mark.usefixtures("clock")


def give(call, person, score=1, **said):
    return rate(call=call, person=person, score=score, scale="thumbs", via="page", now=NOON, **said)


def download(client):
    return json.loads(client.get("/me/download/").content)


def standing(person):
    ratings = Rating.objects.filter(person=person).order_by("id")
    return list(ratings.values_list("score", "tags", "comment", "withdrawn_at"))


def said(response):
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("path", ["/me/", "/me/download/"])
def test_everybody_who_is_signed_in_sees_their_own(client, db, path):
    assert client.get(path).status_code == 302
    for role in Role:
        client.force_login(make_user(role, totp_exempt=True))
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/me/withdraw/ratings/", "/me/erase-words/"])
def test_taking_back_is_asked_for_by_post(client, world, path):
    assert client.post(path).status_code == 302
    client.force_login(world.user)
    assert client.get(path).status_code == 405


def test_the_page_tells_of_ones_own_calls_ratings_and_keys(client, world):
    make_price(world.candidate)
    call = world.call()
    world.call(at=NOON - timedelta(hours=1))
    world.call(person=world.colleague().person)
    rating = give(call, world.person, comment="Good.")
    client.force_login(world.user)

    context = client.get("/me/").context

    (stored,) = context["stored"]
    assert (stored.pilot, stored.calls) == (world.pilot.name, 2)
    assert (stored.first_at, stored.last_at) == (NOON - timedelta(hours=1), NOON)
    assert (stored.prompt_tokens, stored.completion_tokens) == (2000, 200)
    assert stored.cost_usd == Decimal("0.0048")
    assert [(each.rating, each.words, each.slug) for each in context["ratings"]] == [
        (rating, "liked", world.pilot.slug)
    ]
    assert [key.hint for key in context["keys"]] == [world.key.hint]
    assert ("Second factor", "none") in context["account"]
    assert ("Signs in by", "password, kept as a hash") in context["account"]


def test_what_blind_calls_cost_is_told_once_everybody_may_know(client, world):
    """The difference that one call makes would tell its price."""
    make_price(world.candidate)
    make_rotation(world.pilot, world.candidate)
    world.call(alias="pilot-chat")
    client.force_login(world.user)

    (blind,) = client.get("/me/").context["stored"]
    world.call()
    (some,) = client.get("/me/").context["stored"]
    world.pilot.closed_at = NOON
    world.pilot.save(update_fields=["closed_at"])
    (told,) = client.get("/me/").context["stored"]

    assert (blind.calls, blind.cost_usd, blind.has_blind) == (1, None, True)
    assert (some.calls, some.cost_usd, some.has_blind) == (2, Decimal("0.0024"), True)
    assert (told.calls, told.cost_usd, told.has_blind) == (2, Decimal("0.0048"), False)


def test_a_blind_rating_names_the_alias_alone(client, world):
    make_rotation(world.pilot, world.candidate)
    give(world.call(alias="pilot-chat"), world.person)
    client.force_login(world.user)

    response = client.get("/me/")

    assert [(each.candidate, each.alias) for each in response.context["ratings"]] == [
        (None, "pilot-chat")
    ]
    assert world.candidate.name not in response.content.decode()


def test_nothing_of_others_and_no_secret_is_told(client, world):
    other = world.colleague()
    theirs = world.call(person=other.person)
    give(theirs, other.person, comment="Their words.")
    client.force_login(world.user)

    told = client.get("/me/").content.decode() + json.dumps(download(client))

    for secret in (
        *(str(theirs.id), "Their words.", other.email, other.person.pseudonym),
        *(world.plain_key, world.key.digest, world.user.password, PASSWORD),
    ):
        assert secret not in told


def test_withdrawing_takes_back_ones_own_ratings_alone(client, world):
    other = world.colleague()
    give(world.call(), world.person, comment="Mine.")
    give(world.call(person=other.person), other.person, comment="Theirs.")
    client.force_login(world.user)

    response = client.post("/me/withdraw/ratings/", follow=True)

    assert standing(world.person) == [(1, [], "", AT)]
    assert standing(other.person) == [(1, [], "Theirs.", None)]
    assert said(response) == ["One rating is withdrawn. The sums follow in a moment."]
    assert response.context["ratings"] == []


def test_erasing_words_keeps_the_scores(client, world):
    other = world.colleague()
    give(world.call(), world.person, comment="Mine.", tags=["correct"])
    give(world.call(), world.person, score=0)
    give(world.call(person=other.person), other.person, comment="Theirs.")
    client.force_login(world.user)

    response = client.post("/me/erase-words/", follow=True)

    assert standing(world.person) == [(1, [], "", None), (0, [], "", None)]
    assert standing(other.person) == [(1, [], "Theirs.", None)]
    assert said(response) == ["The words of one answer are erased. Its score stays."]


def test_a_pilot_that_one_has_left_is_told_of_without_links(client, world):
    call = world.call()
    give(call, world.person)
    world.enrollment.left_at = NOON
    world.enrollment.save(update_fields=["left_at"])
    client.force_login(world.user)

    html = client.get("/me/").content.decode()

    assert world.pilot.name in html
    assert f"/pilots/{world.pilot.slug}/calls/" not in html
    assert f"/rate/{call.id}/" not in html


@pytest.mark.parametrize("pilots", [1, 3])
def test_the_page_asks_the_same_queries_for_any_number_of_rows(
    client, world, pilots, django_assert_num_queries
):
    for _ in range(pilots):
        pilot = make_pilot()
        make_key(make_enrollment(pilot, world.person))
        record = make_record(
            pilot_id=pilot.id, person_id=world.person.id, candidate_id=world.candidate.id
        )
        store_records([record])
        give(world.call(), world.person)
    client.force_login(world.user)
    client.get("/me/")

    with django_assert_num_queries(26):
        response = client.get("/me/")

    assert len(response.context["stored"]) == pilots + 1
