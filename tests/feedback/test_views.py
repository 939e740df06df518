"""The pages on which people rate: what they show, and to whom."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.core.uuid7 import new_uuid7
from apps.feedback.queries import Progress
from tests.factories import NOON, make_candidate, make_enrollment, make_pilot, make_user
from tests.feedback.rating_pages import page, pressed
from tests.feedback.ratings import standing

pytestmark = pytest.mark.usefixtures("clock")


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

    with django_assert_num_queries(12):
        response = signed_in.get(page(world))

    assert len(response.context["cards"]) == calls


def test_one_answer_has_a_page_and_its_widget_alone_for_htmx(signed_in, world):
    call = world.call(completion_tokens=1_240)

    whole = signed_in.get(page(world, call)).content.decode()
    widget = signed_in.get(page(world, call), headers={"HX-Request": "true"}).content.decode()

    assert "1,240 tokens in 2.3 s" in whole
    assert widget.lstrip().startswith(f'<div class="rating" id="rating-{call.id}"')
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
