from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.test import RequestFactory
from django.utils import timezone

from apps.accounts.models import Role
from apps.dashboard.navigation import RAIL, navigation, pilot_state
from tests.factories import NOON, make_enrollment, make_pilot, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def running():
    today = timezone.now().date()
    return make_pilot(
        slug="team", starts_on=today - timedelta(days=3), ends_on=today + timedelta(days=9)
    )


def ask(user, path="/", **headers):
    request = RequestFactory().get(path, headers=headers)
    request.user = user
    request.htmx = None
    return navigation(request)


LEADS_PAGES = ["Overview", "Candidates", "Compare", "Calls", "People", "Connect", "Rate"]


@pytest.mark.parametrize(
    ("role", "labels"),
    [
        (Role.ADMIN, [*LEADS_PAGES, "Set-up"]),
        (Role.LEAD, LEADS_PAGES),
        (Role.DEVELOPER, ["Connect", "Rate", "My calls", "About me"]),
        (Role.VIEWER, ["Overview", "Candidates", "Compare"]),
    ],
)
def test_a_role_sees_its_own_pages(running, role, labels):
    user = make_user(role)
    make_enrollment(running, user.person)

    found = ask(user, "/me/")

    assert [entry.label for entry in found["nav"]] == labels
    assert found["pilot"] == running


def test_no_rail_has_more_than_nine_entries():
    assert max(len(entries) for entries in RAIL.values()) <= 9


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/pilots/team/", "Overview"),
        ("/pilots/team/charts/", "Overview"),
        ("/pilots/team/candidates/", "Candidates"),
        ("/pilots/team/candidates/phind/", "Candidates"),
        ("/pilots/team/calls/0192/", "Calls"),
        ("/pilots/team/compare/", "Compare"),
        ("/pilots/team/rotation/", "Compare"),
        ("/pilots/team/today/", "Rate"),
        ("/pilots/team/votes/", "Rate"),
        ("/pilots/team/log/", "Overview"),
        ("/setup/providers/", "Set-up"),
    ],
)
def test_one_entry_is_marked_as_current(running, path, label):
    found = ask(make_user(Role.ADMIN), path)

    assert [entry.label for entry in found["nav"] if entry.current] == [label]


def test_nothing_is_current_elsewhere(running):
    found = ask(make_user(Role.LEAD), "/me/")

    assert [entry.label for entry in found["nav"] if entry.current] == []


def test_without_a_pilot_only_pages_that_need_none_are_left():
    found = ask(make_user(Role.ADMIN), "/setup/")

    assert [entry.label for entry in found["nav"]] == ["Set-up"]
    assert found["pilot"] is None


def test_the_pilot_of_the_address_is_in_view_and_others_are_one_click_away(running):
    old = make_pilot(slug="old", closed_at=NOON)

    found = ask(make_user(Role.LEAD), "/pilots/old/calls/")

    assert found["pilot"] == old
    assert [(entry.url, entry.note, entry.current) for entry in found["pilots"]] == [
        ("/pilots/team/calls/", "Running", False),
        ("/pilots/old/calls/", "Closed", True),
    ]


def test_one_candidate_of_a_pilot_leads_to_the_list_of_the_other(running):
    make_pilot(slug="old", closed_at=NOON)

    found = ask(make_user(Role.LEAD), "/pilots/team/candidates/phind/")

    assert [entry.url for entry in found["pilots"]] == [
        "/pilots/team/candidates/",
        "/pilots/old/candidates/",
    ]


def test_developers_see_the_pilots_they_are_in(running):
    make_pilot(slug="other")
    user = make_user(Role.DEVELOPER)
    make_enrollment(running, user.person)

    found = ask(user, "/pilots/team/connect/")

    assert found["pilot"] == running
    assert found["pilots"] == []


@pytest.mark.parametrize("count", [1, 3])
def test_the_rail_costs_one_query_while_its_badge_is_known(count, django_assert_num_queries):
    user = make_user(Role.LEAD)
    for _ in range(count):
        make_pilot()
    ask(user)

    with django_assert_num_queries(1):
        ask(user)


def test_what_waits_for_an_answer_is_told_beside_rate(running):
    user = make_user(Role.DEVELOPER)
    make_enrollment(running, user.person)
    cache.set(f"due:{running.id}:{user.person_id}", 2)

    found = ask(user, "/pilots/team/connect/")

    assert {entry.label: entry.badge for entry in found["nav"]} == {
        "Connect": "",
        "Rate": "2",
        "My calls": "",
        "About me": "",
    }


def test_visitors_cost_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert ask(AnonymousUser()) == {}


def test_fragments_bring_no_rail(client, running, django_assert_num_queries):
    request = RequestFactory().get("/pilots/team/")
    request.user = make_user(Role.LEAD)
    request.htmx = type(
        "Htmx", (), {"history_restore_request": False, "__bool__": lambda _: True}
    )()

    with django_assert_num_queries(0):
        assert navigation(request) == {}


@pytest.mark.parametrize(
    ("fields", "now", "state"),
    [
        ({}, NOON, "Running"),
        ({}, NOON - timedelta(days=30), "Not begun"),
        ({}, NOON + timedelta(days=30), "Ended"),
        ({"closed_at": NOON}, NOON, "Closed"),
    ],
)
def test_a_pilot_says_where_it_stands(fields, now, state):
    assert pilot_state(make_pilot(**fields), now) == state
