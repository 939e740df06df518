"""The list of calls: who may open it, what it shows, and its links."""

import re
from datetime import timedelta

import pytest

from apps.accounts.models import Role
from tests.factories import NOON, make_hosting, make_trial, make_user
from tests.usage.conftest import make_scene
from tests.usage.pages import get, shown, table

pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.parametrize("page", ["calls/", "calls/calls.csv", "calls/{id}/"])
def test_who_may_open_the_pages(client, named, page):
    call = named.call()
    path = named.path + page.format(id=call.id)

    def status(user):
        return get(client, user, path).status_code

    assert client.get(path).status_code == 302
    assert status(named.lead) == status(named.developer) == 200
    assert status(make_user(role=Role.ADMIN, totp_exempt=True)) == 200
    assert status(make_user(role=Role.VIEWER)) == 403
    assert status(make_user()) == 404


def test_a_lead_of_a_pilot_that_names_people_sees_who_and_when(client, named):
    call = named.call()

    response = get(client, named.lead, f"{named.path}calls/")

    html = response.content.decode()
    assert shown(response) == [call.id]
    assert ">Ada Moreno</td>" in html
    assert ">18 Nov, 12:00:00</time>" in html
    assert f'href="{named.path}calls/{call.id}/"' in html


def test_a_developer_sees_their_own_calls_alone(client, named):
    mine, theirs = named.call(), named.call(person=named.colleague().person)

    response = get(client, named.developer, f"{named.path}calls/", person=theirs.person_id)

    assert shown(response) == [mine.id]
    assert "person" not in response.context["form"].fields
    assert get(client, named.developer, f"{named.path}calls/{mine.id}/").status_code == 200
    assert get(client, named.developer, f"{named.path}calls/{theirs.id}/").status_code == 404
    assert len(table(get(client, named.developer, f"{named.path}calls/calls.csv"))) == 2


def test_a_call_of_another_pilot_is_not_found(client, named):
    other = make_scene(people_named=True)
    call = other.call()

    assert get(client, named.lead, f"{named.path}calls/{call.id}/").status_code == 404


def test_links_keep_the_filters_and_cursors_that_make_no_sense_are_ignored(client, named):
    calls = named.calls(51)
    path = f"{named.path}calls/"

    first = get(client, named.lead, path, task="chat", days="28")
    odd = get(
        client, named.lead, path, before="no id", after="00000000-0000-0000-0000-000000000000"
    )

    assert first.context["older"] == f"?task=chat&days=28&before={calls[49].id}"
    assert first.context["newer"] is None
    assert shown(client.get(path + first.context["older"])) == [calls[50].id]
    assert shown(odd) == [call.id for call in calls[:50]]


def test_filters_that_make_no_sense_are_ignored(client, named):
    call = named.call()

    response = get(client, named.lead, f"{named.path}calls/", task="nonsense", person="nobody")

    assert shown(response) == [call.id]


@pytest.mark.parametrize("calls", [1, 3])
def test_the_list_asks_the_same_queries_for_any_number_of_calls(
    client, named, calls, django_assert_num_queries
):
    for minutes in range(calls):
        candidate = make_trial(named.pilot).candidate
        person = named.colleague().person
        named.call(at=NOON - timedelta(minutes=minutes), candidate=candidate, person=person)
    get(client, named.lead, f"{named.path}calls/")

    with django_assert_num_queries(11):
        response = client.get(f"{named.path}calls/")

    assert len(shown(response)) == calls


def test_the_first_page_of_a_running_period_looks_again_by_itself(client, named):
    named.calls(51)
    path = f"{named.path}calls/"

    first = get(client, named.lead, path)
    fragment = client.get(path, headers={"HX-Request": "true"}).content.decode()

    assert f'hx-get="{path}" hx-trigger="every 15s"' in first.content.decode()
    assert fragment.startswith('<section id="calls"')
    assert "<html" not in fragment
    assert "hx-get" not in client.get(path + first.context["older"]).content.decode()
    assert (
        "hx-get"
        not in client.get(path, {"from": "2026-11-16", "to": "2026-11-17"}).content.decode()
    )


def test_an_empty_list_says_what_to_do(client, named):
    lead = get(client, named.lead, f"{named.path}calls/").content.decode()
    own = get(client, named.developer, f"{named.path}calls/").content.decode()
    narrowed = get(client, named.developer, f"{named.path}calls/?task=chat").content.decode()

    assert "No calls in these days" in lead
    assert f'href="{named.path}people/"' in lead
    assert "No calls of yours in these days" in own
    assert "No calls match" in narrowed


def test_costs_say_what_they_are(client, named):
    hosted = make_trial(named.pilot).candidate
    make_hosting(hosted)
    named.call(usage_source="estimated")
    named.call(candidate=hosted, at=NOON - timedelta(minutes=1))
    named.call(prompt_tokens=None, completion_tokens=None, at=NOON - timedelta(minutes=2))

    html = get(client, named.lead, f"{named.path}calls/").content.decode()

    cells = re.findall(r'<td class="r">([^\n]*)</td>\s*</tr>', html)
    assert cells == [
        "$0.0024",
        '<span class="muted">by the hour</span>',
        '<span class="warn">no price</span>',
    ]
    assert html.count('<span class="sr">about </span>') == 2


def test_times_are_told_in_the_pilots_zone(client, db):
    scene = make_scene(people_named=True, zone="Asia/Tokyo")
    scene.call()

    html = get(client, scene.lead, f"{scene.path}calls/").content.decode()

    assert ">18 Nov, 21:00:00</time>" in html
