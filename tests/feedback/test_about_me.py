import json
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.accounts import audit
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


@pytest.mark.parametrize("path", ["/me/withdraw-ratings/", "/me/erase-words/"])
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


def test_the_copy_holds_everything(client, world):
    call = world.call(session="s-1")
    give(call, world.person, comment="First.", tags=["correct"])
    rate(
        call=call,
        person=world.person,
        score=0,
        scale="thumbs",
        via="page",
        now=AT,
        comment="Second.",
    )
    audit.record_person(None, "role changed", world.person, {"to": "developer"}, NOON)
    audit.record(actor=world.person, action="key issued", subject="a key", now=AT)
    client.force_login(world.user)

    copy = download(client)

    assert copy["account"]["email"] == world.user.email
    assert copy["pseudonym"] == world.person.pseudonym
    assert [(each["id"], each["session"]) for each in copy["calls"]] == [(str(call.id), "s-1")]
    assert [(each["score"], each["comment"]) for each in copy["ratings"]] == [(0, "Second.")]
    earlier = [(each["score"], each["comment"], each["tags"]) for each in copy["earlier_ratings"]]
    assert earlier == [(1, "First.", ["correct"])]
    assert [each["action"] for each in copy["audit_trail"]] == ["role changed", "key issued"]
    assert [each["hint"] for each in copy["keys"]] == [world.key.hint]
    assert [each["pilot__slug"] for each in copy["pilots"]] == [world.pilot.slug]
    assert copy["calls_by_pilot"][0]["calls"] == 1


def test_the_copy_is_a_file_that_no_cache_keeps(client, world):
    client.force_login(world.user)

    response = client.get("/me/download/")

    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == 'attachment; filename="pilotdash-about-me.json"'
    assert response["Cache-Control"] == "private, no-store"


def test_withdrawing_takes_back_ones_own_ratings_alone(client, world):
    other = world.colleague()
    give(world.call(), world.person, comment="Mine.")
    give(world.call(person=other.person), other.person, comment="Theirs.")
    client.force_login(world.user)

    response = client.post("/me/withdraw-ratings/", follow=True)

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
    assert said(response) == ["The tags and comments of one rating are erased. Its score stays."]


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

    with django_assert_num_queries(14):
        response = client.get("/me/")

    assert len(response.context["stored"]) == pilots + 1
