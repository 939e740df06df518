"""Pages behind the links of messages: no sign-in, no cookie, and a GET stores nothing."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.departures import deactivate, delete_person, erase
from apps.feedback.asked_links import LASTS, answer_token, stop_token
from apps.feedback.daily import ask
from apps.feedback.models import AskPreference, DailyQuestion
from apps.pilots.models import Enrollment, Pilot
from tests.factories import NOON
from tests.feedback.conftest import AT
from tests.feedback.days_of_use import said

pytestmark = pytest.mark.usefixtures("clock")
SAID = {"day": "2026-11-18", "role": "chat"}


@pytest.fixture
def question(world):
    world.call()
    return ask(pilot=world.pilot, person=world.person, now=NOON)


@pytest.fixture
def link(question):
    return f"/asked/{answer_token(question, now=NOON)}/"


@pytest.fixture
def stop_link(world):
    return f"/asked/{stop_token(world.enrollment)}/stop/"


@pytest.fixture
def stranger():
    """A mail program or a browser that never signed in, and checks of forgery on."""
    return Client(enforce_csrf_checks=True)


def test_link_shows_the_question_and_stores_nothing(stranger, link, world):
    response = stranger.get(link)

    assert (response.status_code, response.cookies) == (200, {})
    html = response.content.decode()
    assert html.count('class="rate-btn"') == 5
    assert "Chat in " + world.pilot.name in html
    assert said() == [(None, "", None, None)]
    assert response["cache-control"].startswith("max-age=0, no-cache, no-store")
    assert response["x-robots-tag"] == "noindex"


def test_link_answers_without_signing_in(stranger, link):
    response = stranger.post(link, SAID | {"score": "4", "reason": "quick"})

    assert (response.status_code, response["location"]) == (302, link)
    assert said() == [(4, "quick", None, None)]
    assert DailyQuestion.objects.get().via == "link"
    assert "You said 4 of 5." in stranger.get(link).content.decode()


def test_link_skips_corrects_and_withdraws(stranger, link):
    for fields, stored in [
        ({"do": "skip"}, (None, "", AT, None)),
        ({"score": "2"}, (2, "", None, None)),
        ({"reason": "slow"}, (2, "slow", None, None)),
        ({"do": "withdraw"}, (None, "", None, AT)),
    ]:
        stranger.post(link, SAID | fields)
        assert said() == [stored]


def test_refusals_are_told_on_the_page(stranger, link):
    response = stranger.post(link, SAID | {"score": "9"})

    assert response.status_code == 200
    assert "Choose one of the five buttons." in response.content.decode()


def test_link_answers_its_own_question_whatever_the_form_says(stranger, link, world):
    stranger.post(link, SAID | {"score": "4", "day": "2026-11-17"})

    assert said() == [(4, "", None, None)]


def test_a_minute_takes_so_many_answers(stranger, link):
    for _ in range(60):
        stranger.post(link, SAID | {"score": "4"})

    response = stranger.post(link, SAID | {"score": "1"})

    assert "That was very often; try again in 60 s." in response.content.decode()
    assert said() == [(4, "", None, None)]


@pytest.mark.parametrize("how", ["broken", "old", "left", "inactive", "deleted", "erased", "other"])
def test_link_that_is_over_says_so(stranger, link, question, world, how, monkeypatch):
    if how == "broken":
        link = link[:-2] + "/"
    elif how == "old":
        link = f"/asked/{answer_token(question, now=AT - LASTS)}/"
    elif how == "left":
        Enrollment.objects.update(left_at=NOON)
    elif how == "inactive":
        deactivate(user=world.user, actor=None, now=NOON)
    elif how == "deleted":
        delete_person(user=world.user, actor=None, now=NOON)
    elif how == "erased":
        erase(person=world.person, actor=None, now=NOON)
    else:
        DailyQuestion.objects.update(person=world.colleague().person)

    for response in (stranger.get(link), stranger.post(link, SAID | {"score": "4"})):
        assert response.status_code == 404
        assert "This link does not work" in response.content.decode()
    assert said() == [(None, "", None, None)]


def test_a_closed_pilot_shows_no_buttons_and_takes_nothing(stranger, link):
    Pilot.objects.update(closed_at=NOON)

    assert "rate-btn" not in stranger.get(link).content.decode()
    response = stranger.post(link, SAID | {"score": "4"})

    assert "This pilot is closed; its answers no longer change." in response.content.decode()
    assert said() == [(None, "", None, None)]


def test_opening_the_stop_link_stops_nothing(stranger, stop_link):
    response = stranger.get(stop_link)

    assert "Ask you no more?" in response.content.decode()
    assert not AskPreference.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"List-Unsubscribe": "One-Click"}])
def test_one_press_or_the_mail_programs_own_button_stops(stranger, stop_link, fields):
    response = stranger.post(stop_link, fields)

    assert (response.status_code, response.cookies) == (200, {})
    assert "You are asked no more" in response.content.decode()
    assert AskPreference.objects.values_list("channel").get() == ("off",)
    assert "You are asked no more" in stranger.get(stop_link).content.decode()


def test_stop_link_lasts_longer_than_the_question(stranger, stop_link, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT + timedelta(days=400))

    assert stranger.post(stop_link).status_code == 200
    assert stranger.post(stop_link[:-7] + "x/stop/").status_code == 404
