import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Role
from apps.core.uuid7 import new_uuid7
from apps.feedback.models import Rating
from apps.feedback.queries import Progress
from tests.factories import NOON, make_candidate, make_enrollment, make_pilot, make_user
from tests.feedback.conftest import make_world

AT = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def clock(monkeypatch, valkey):
    monkeypatch.setattr(timezone, "now", lambda: AT)


@pytest.fixture
def signed_in(client, world):
    client.force_login(world.user)
    return client


def page(world, call=None, action=""):
    path = f"/pilots/{world.pilot.slug}/rate/"
    return path if call is None else f"{path}{call.id}/{action}"


def standing():
    return list(
        Rating.objects.order_by("id").values_list("score", "tags", "comment", "withdrawn_at")
    )


def pressed(html):
    return re.findall(r'value="(\w+)" data-key="\w" aria-label="[^"]*" aria-pressed="true"', html)


def test_the_page_shows_ones_own_answers(signed_in, world):
    call = world.call()
    theirs = world.call(person=world.colleague().person)

    response = signed_in.get(page(world))

    assert [card.call_id for card in response.context["cards"]] == [call.id]
    assert response.context["progress"] == Progress(0, 1)
    html = response.content.decode()
    assert f'id="call-{call.id}"' in html
    assert str(theirs.id) not in html
    assert pressed(html) == []


def test_the_page_says_what_to_do_where_nothing_is(signed_in, world):
    html = signed_in.get(page(world)).content.decode()

    assert "Nothing to rate yet" in html
    assert "data-rate-inbox" not in html


def test_a_lead_who_takes_no_part_is_told_so(client, world):
    client.force_login(make_user(role=Role.LEAD))

    assert "You do not take part in this pilot" in client.get(page(world)).content.decode()


@pytest.mark.parametrize("calls", [1, 3])
def test_the_page_asks_the_same_queries_for_any_number_of_answers(
    signed_in, world, calls, django_assert_num_queries
):
    for minutes in range(calls):
        candidate = make_candidate()
        call = world.call(at=NOON - timedelta(minutes=minutes), candidate=candidate)
        signed_in.post(page(world, call, "give/"), {"rating": "up"})
    signed_in.get(page(world))

    with django_assert_num_queries(13):
        response = signed_in.get(page(world))

    assert len(response.context["cards"]) == calls


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
    assert html.lstrip().startswith(f'<div class="rating" id="rating-{call.id}">')
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


def test_one_answer_has_a_page_and_its_widget_alone_for_htmx(signed_in, world):
    call = world.call(completion_tokens=1_240)

    whole = signed_in.get(page(world, call)).content.decode()
    widget = signed_in.get(page(world, call), headers={"HX-Request": "true"}).content.decode()

    assert "1,240 tokens in 2.3 s" in whole
    assert widget.lstrip().startswith(f'<div class="rating" id="rating-{call.id}">')
    assert "<html" not in widget


def answers(client, world, call):
    """What every route about a call says to whoever is signed in."""
    return [
        client.get(page(world)).status_code,
        client.get(page(world, call)).status_code,
        client.post(page(world, call, "give/"), {"rating": "up"}).status_code,
        client.post(page(world, call, "withdraw/")).status_code,
    ]


@pytest.mark.parametrize(
    ("role", "takes_part", "expected"),
    [
        # The page itself; then somebody else's call, which exists for nobody but its maker.
        (Role.ADMIN, False, [200, 404, 404, 404]),
        (Role.LEAD, False, [200, 404, 404, 404]),
        (Role.LEAD, True, [200, 404, 404, 404]),
        (Role.DEVELOPER, True, [200, 404, 404, 404]),
        (Role.DEVELOPER, False, [404, 404, 404, 404]),
        (Role.VIEWER, False, [403, 403, 403, 403]),
    ],
)
def test_nobody_rates_or_sees_the_answers_of_others(client, world, role, takes_part, expected):
    call = world.call()
    user = make_user(role=role)
    if takes_part:
        make_enrollment(world.pilot, user.person)
    client.force_login(user)

    assert answers(client, world, call) == expected
    assert standing() == []


def test_visitors_are_sent_to_sign_in(client, world):
    assert answers(client, world, world.call()) == [302, 302, 302, 302]
    assert standing() == []


def test_a_call_of_another_pilot_or_none_does_not_exist(signed_in, world):
    other = make_pilot()
    make_enrollment(other, world.person)
    elsewhere = world.call(pilot=other)
    unknown = type("Unknown", (), {"id": new_uuid7()})

    for call in (elsewhere, unknown):
        assert answers(signed_in, world, call)[1:] == [404, 404, 404]


def test_a_form_without_its_token_changes_nothing(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.user)

    assert answers(client, world, world.call()) == [200, 200, 403, 403]
    assert standing() == []


def test_reading_records_nothing(signed_in, world):
    call = world.call()

    codes = [
        signed_in.get(page(world, call, "give/"), {"rating": "up"}).status_code,
        signed_in.get(page(world, call, "withdraw/")).status_code,
        signed_in.get(page(world, call), {"rating": "up"}).status_code,
    ]

    assert codes == [405, 405, 200]
    assert standing() == []


def test_what_people_write_is_escaped(signed_in, world):
    call = world.call()
    signed_in.post(page(world, call, "give/"), {"rating": "up"})
    signed_in.post(
        page(world, call, "give/"), {"reason": "on", "comment": "</textarea><script>x</script>"}
    )

    html = signed_in.get(page(world)).content.decode()

    assert "<script>x" not in html
    assert "&lt;/textarea&gt;&lt;script&gt;x" in html
