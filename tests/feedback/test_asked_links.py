import pytest

from apps.feedback.asked_links import (
    LASTS,
    AskedLink,
    BadLink,
    answer_link,
    answer_token,
    read_answer_token,
    read_stop_token,
    stop_link,
    stop_token,
)
from apps.feedback.daily import ask
from tests.factories import NOON


@pytest.fixture
def question(world):
    world.call()
    return ask(pilot=world.pilot, person=world.person, now=NOON)


def test_token_opens_one_question_to_one_person_for_a_week(question):
    token = answer_token(question, now=NOON)

    last = NOON + LASTS - LASTS.resolution
    assert read_answer_token(token, now=last) == AskedLink(question.id, question.person_id)
    with pytest.raises(BadLink):
        read_answer_token(token, now=NOON + LASTS)


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: "x" + t, lambda t: "", str.upper])
def test_changed_token_opens_nothing(question, world, change):
    with pytest.raises(BadLink):
        read_answer_token(change(answer_token(question, now=NOON)), now=NOON)
    with pytest.raises(BadLink):
        read_stop_token(change(stop_token(world.enrollment)))


def test_one_kind_of_token_is_not_the_other(question, world):
    with pytest.raises(BadLink):
        read_answer_token(stop_token(world.enrollment), now=NOON)
    with pytest.raises(BadLink):
        read_stop_token(answer_token(question, now=NOON))


def test_no_link_holds_a_colon_that_some_programs_would_escape(question, world):
    assert ":" not in answer_token(question, now=NOON) + stop_token(world.enrollment)


def test_stop_token_lasts(world):
    assert read_stop_token(stop_token(world.enrollment)) == world.enrollment.id


def test_links_are_whole_addresses(question, world, settings):
    settings.SITE_URL = "https://pilot.example"

    assert answer_link(question, now=NOON) == (
        f"https://pilot.example/asked/{answer_token(question, now=NOON)}/"
    )
    assert stop_link(world.enrollment) == (
        f"https://pilot.example/asked/{stop_token(world.enrollment)}/stop/"
    )
