from dataclasses import replace
from datetime import timedelta

import pytest

from apps.feedback.links import (
    LASTS,
    Link,
    LinkExpired,
    NotALink,
    make_token,
    page_url,
    read_token,
    widget_url,
)
from tests.factories import NOON

SECOND = timedelta(seconds=1)


def test_a_token_names_call_pilot_and_person_until_a_week_is_over(world):
    call = world.call()

    token = make_token(call, now=NOON)

    expected = Link(call.id, world.pilot.id, world.person.id, NOON + timedelta(days=7))
    assert read_token(token, now=NOON + LASTS - SECOND) == expected
    with pytest.raises(LinkExpired):
        read_token(token, now=NOON + LASTS)


def test_a_changed_token_opens_nothing(world):
    token = make_token(world.call(), now=NOON)
    other = make_token(world.call(), now=NOON)
    body, _, signature = token.rpartition(".")

    for forged in (
        *("", ".", "sample", token[:-1], token + "x", body, f"{body}.", f".{token}"),
        f"{other.rpartition('.')[0]}.{signature}",
    ):
        with pytest.raises(NotALink):
            read_token(forged, now=NOON)


def test_a_token_goes_through_an_address_as_it_is(world, settings):
    settings.SITE_URL = "https://pilot.example.com"
    token = make_token(world.call(), now=NOON)

    assert page_url(token) == f"https://pilot.example.com/rate/{token}/"
    assert widget_url(token) == f"https://pilot.example.com/widget/{token}/"


def test_two_links_of_one_answer_differ_in_their_end_only(world):
    call = world.call()
    first, second = (
        read_token(make_token(call, now=NOON + n * SECOND), now=NOON) for n in range(2)
    )

    assert second == replace(first, expires_at=first.expires_at + SECOND)
