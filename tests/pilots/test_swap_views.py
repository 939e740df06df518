"""The button "Not this one today", on the pages that show it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.pilots.models import Swap
from apps.pilots.rotations import start_rotation
from tests.factories import make_candidate, make_enrollment, make_pilot, make_trial, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "/pilots/first/not-this-one/pilot-chat/"


@pytest.fixture
def pilot():
    today = timezone.now().date()
    pilot = make_pilot(
        slug="first", starts_on=today - timedelta(days=9), ends_on=today + timedelta(days=9)
    )
    for name in ("Alpha", "Beta"):
        make_trial(pilot, make_candidate(name=name, slug=name.lower()))
    ids = [trial.candidate_id for trial in pilot.trials.all()]
    start_rotation(pilot=pilot, role="chat", candidate_ids=ids, now=timezone.now())
    return pilot


@pytest.fixture
def developer(client, pilot):
    user = make_user()
    make_enrollment(pilot, user.person)
    client.force_login(user)
    return user


def test_developer_sends_todays_away_without_learning_whom(client, developer):
    page = client.get("/pilots/first/connect/")
    response = client.post(ADDRESS, {"next": "/pilots/first/rate/"}, follow=True)

    assert 'action="/pilots/first/not-this-one/pilot-chat/"' in page.content.decode()
    assert response.redirect_chain == [("/pilots/first/rate/", 302)]
    assert Swap.objects.get().person == developer.person
    said = [str(each) for each in response.context["messages"]]
    assert said == ["Another one answers you now, until the next working day. Nobody learns which."]


def test_second_time_a_day_is_refused_with_a_sentence(client, developer):
    client.post(ADDRESS, follow=True)

    response = client.post(ADDRESS, {"next": "https://elsewhere.example/"}, follow=True)

    assert response.redirect_chain == [("/pilots/first/connect/", 302)]
    assert [str(each) for each in response.context["messages"]] == [
        "You have had another one today already: once a day is the most."
    ]
    assert Swap.objects.count() == 1


def test_fragment_names_nobody(client, developer):
    response = client.post(ADDRESS, headers={"hx-request": "true"})

    body = response.content.decode()
    assert body.lstrip().startswith('<section class="card stack-s" id="not-this-one"')
    assert "Another one answers until" in body
    assert "Not this one today" not in body
    assert [name for name in ("Alpha", "Beta", "alpha", "beta") if name in body] == []


def test_button_is_not_shown_to_those_who_do_not_take_part(client, pilot):
    client.force_login(make_user("lead"))

    assert "not-this-one" not in client.get("/pilots/first/connect/").content.decode()
    assert client.post(ADDRESS).status_code == 302
    assert Swap.objects.count() == 0


def test_other_names_and_methods_are_not_found(client, developer):
    assert client.post("/pilots/first/not-this-one/alpha/").status_code == 404
    assert client.post("/pilots/other/not-this-one/pilot-chat/").status_code == 404
    assert client.get(ADDRESS).status_code == 405
