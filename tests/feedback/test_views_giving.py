"""Giving and withdrawing ratings on the pages, with and without JavaScript."""

import pytest

from apps.feedback.models import Rating
from tests.feedback.conftest import AT, make_world
from tests.feedback.rating_pages import page, pressed
from tests.feedback.ratings import standing

pytestmark = pytest.mark.usefixtures("clock")


def test_a_press_stores_a_rating_and_answers_with_the_widget(signed_in, world):
    call = world.call()

    response = signed_in.post(
        page(world, call, "give/"),
        {"rating": "up", "inbox": "on", "next": page(world)},
        headers={"HX-Request": "true"},
    )

    html = response.content.decode()
    assert response.status_code == 200
    assert standing() == [(1, [], "", None)]
    assert Rating.objects.get().via == "page"
    assert html.lstrip().startswith(f'<div class="rating" id="rating-{call.id}"')
    assert pressed(html) == ["up"]
    assert '<span id="rate-progress" hx-swap-oob="true"' in html


def test_the_widget_on_another_page_brings_no_count(signed_in, world):
    call = world.call()

    html = signed_in.post(
        page(world, call, "give/"), {"rating": "up"}, headers={"HX-Request": "true"}
    ).content.decode()

    assert "rate-progress" not in html


def test_another_press_keeps_the_reason_and_a_reason_keeps_the_rating(signed_in, world):
    call = world.call()
    signed_in.post(page(world, call, "give/"), {"rating": "up"})
    signed_in.post(
        page(world, call, "give/"),
        {"reason": "on", "tags": ["clear", "correct"], "comment": " good\r\nindeed "},
    )
    assert standing() == [(1, ["clear", "correct"], "good\nindeed", None)]

    signed_in.post(page(world, call, "give/"), {"rating": "down"})
    assert standing() == [(0, ["clear", "correct"], "good\nindeed", None)]

    signed_in.post(page(world, call, "give/"), {"reason": "on", "comment": ""})
    assert standing() == [(0, [], "", None)]


def test_stars_are_pressed_where_the_pilot_has_stars(client, stars):
    client.force_login(stars.user)
    call = stars.call()

    html = client.post(
        page(stars, call, "give/"), {"rating": "4"}, headers={"HX-Request": "true"}
    ).content.decode()

    assert standing() == [(4, [], "", None)]
    assert pressed(html) == ["4"]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Rate the answer with one of the buttons."),
        ({"rating": "4"}, "Rate the answer with one of the buttons."),
        ({"rating": "sideways"}, "Rate the answer with one of the buttons."),
        ({"rating": "٤"}, "Rate the answer with one of the buttons."),
        ({"reason": "on", "comment": "why"}, "Rate the answer with one of the buttons."),
        (
            {"rating": "up", "reason": "on", "tags": "<b>"},
            "A tag is 1 to 40 letters a to z, digits, blanks, dashes or underscores.",
        ),
        (
            {"rating": "up", "reason": "on", "comment": "x" * 2_001},
            "A comment has at most 2,000 characters.",
        ),
    ],
)
def test_a_form_that_makes_no_sense_says_so_and_stores_nothing(signed_in, world, sent, sentence):
    response = signed_in.post(
        page(world, world.call(), "give/"), sent, headers={"HX-Request": "true"}
    )

    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert standing() == []


def test_a_completion_is_not_rated(signed_in, world):
    call = world.call(rateable=False, task="autocomplete")

    html = signed_in.post(
        page(world, call, "give/"), {"rating": "up"}, headers={"HX-Request": "true"}
    ).content.decode()

    assert "Only finished chat, edit and agent turns are rated." in html
    assert standing() == []


def test_a_closed_pilot_takes_no_rating_and_gives_one_back(client, db):
    world = make_world()
    client.force_login(world.user)
    call = world.call()
    client.post(page(world, call, "give/"), {"rating": "up"})
    world.pilot.closed_at = AT
    world.pilot.save(update_fields=["closed_at"])

    refused = client.post(
        page(world, call, "give/"), {"rating": "down"}, headers={"HX-Request": "true"}
    )
    html = client.get(page(world, call)).content.decode()
    client.post(page(world, call, "withdraw/"))

    assert "This pilot is closed; its ratings no longer change." in refused.content.decode()
    assert pressed(html) == []
    assert "Withdraw the rating" in html
    assert standing() == [(1, [], "", AT)]


def test_a_withdrawn_rating_is_shown_as_such(signed_in, world):
    call = world.call()
    signed_in.post(page(world, call, "give/"), {"rating": "up"})

    html = signed_in.post(
        page(world, call, "withdraw/"), headers={"HX-Request": "true"}
    ).content.decode()
    again = signed_in.post(
        page(world, call, "withdraw/"), headers={"HX-Request": "true"}
    ).content.decode()

    assert standing() == [(1, [], "", AT)]
    assert pressed(html) == []
    assert "withdrawn" in html
    assert "There is no rating to withdraw." in again


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ("/pilots/x/calls/?days=7#row", "/pilots/x/calls/?days=7"),
        ("", "{inbox}"),
        ("https://elsewhere.example/", "{inbox}"),
        ("//elsewhere.example/", "{inbox}"),
        ("javascript:alert(1)", "{inbox}"),
    ],
)
def test_without_javascript_one_comes_back_to_the_page_and_nowhere_else(
    signed_in, world, sent, where
):
    call = world.call()

    response = signed_in.post(page(world, call, "give/"), {"rating": "up", "next": sent})

    assert response.status_code == 302
    assert response["location"] == f"{where.format(inbox=page(world))}#call-{call.id}"


def test_without_javascript_a_problem_is_told_on_the_next_page(signed_in, world):
    response = signed_in.post(page(world, world.call(), "give/"), {}, follow=True)

    assert "Rate the answer with one of the buttons." in response.content.decode()
