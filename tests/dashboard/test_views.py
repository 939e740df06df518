from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Role
from apps.changes.models import RoutesVersion
from apps.core.periods import DAY
from apps.metrics.models import Generation
from tests.dashboard.filled import fill
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_hosting,
    make_pilot,
    make_trial,
    make_user,
)
from tests.metrics.derived import make_hosted, make_usage
from tests.metrics.test_queries_ratings import make_rating

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


# Where one lands


def test_administrators_begin_with_the_set_up(client):
    client.force_login(make_user(Role.ADMIN))

    before = client.get("/").url
    pilot = make_pilot()
    after = client.get("/").url

    assert (before, after) == ("/setup/", f"/pilots/{pilot.slug}/")


@pytest.mark.parametrize("role", [Role.LEAD, Role.VIEWER])
def test_leads_and_viewers_land_on_the_newest_running_pilot(client, pilot, role):
    make_pilot(
        slug="closed",
        closed_at=timezone.now(),
        starts_on=pilot.starts_on + DAY,
        ends_on=pilot.ends_on,
    )
    client.force_login(make_user(role))

    assert client.get("/").url == "/pilots/team/"


def test_developers_connect_until_their_first_call_and_then_rate(client, pilot):
    user = make_user(Role.DEVELOPER)
    make_enrollment(pilot, user.person)
    client.force_login(user)

    before = client.get("/").url
    make_usage(pilot, make_candidate(), pilot.starts_on, calls=1, person=user.person_id)
    after = client.get("/").url

    assert (before, after) == ("/pilots/team/connect/", "/pilots/team/rate/")


@pytest.mark.parametrize(
    ("role", "words"),
    [(Role.LEAD, "There is no pilot yet"), (Role.DEVELOPER, "You take part in no pilot yet")],
)
def test_without_a_pilot_the_page_says_what_to_wait_for(client, role, words):
    if role == Role.DEVELOPER:
        make_enrollment(make_pilot())  # somebody else's
    client.force_login(make_user(role))

    response = client.get("/")

    assert response.templates[0].name == "dashboard/home.html"
    assert words in response.text


# Who may see what


@pytest.mark.parametrize(
    "path",
    [
        "/pilots/team/",
        "/pilots/team/charts/",
        "/pilots/team/leaderboard.csv",
        "/pilots/team/candidates/",
        "/pilots/team/candidates/phind/",
    ],
)
@pytest.mark.parametrize(
    ("role", "status"), [(Role.LEAD, 200), (Role.VIEWER, 200), (Role.DEVELOPER, 403), (None, 302)]
)
def test_sums_are_for_leads_and_viewers(client, pilot, path, role, status):
    fill(pilot, [make_candidate(slug="phind")])
    if role:
        user = make_user(role)
        make_enrollment(pilot, user.person)
        client.force_login(user)

    assert client.get(path).status_code == status


@pytest.mark.parametrize("path", ["/pilots/none/", "/pilots/team/candidates/none/"])
def test_what_is_not_there_is_not_found(client, pilot, lead, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("role", "named", "people", "told"),
    [
        (Role.LEAD, True, 3, "3"),
        # Three could be guessed where nobody is to be named, and a viewer never needs them.
        (Role.LEAD, False, 3, "<5"),
        (Role.VIEWER, True, 3, "<5"),
        (Role.VIEWER, True, 6, "6"),
    ],
)
def test_groups_below_five_are_told_only_as_such(client, pilot, role, named, people, told):
    pilot.people_named = named
    pilot.save(update_fields=["people_named"])
    fill(pilot, [make_candidate()], people=people)
    client.force_login(make_user(role))

    response = client.get("/pilots/team/")

    assert [row.people for row in response.context["page"].rows] == [told]
    steps = {step.label: step.note or f"{step.count}" for step in response.context["week"].steps}
    assert (steps["First call"], steps["Rated something"]) == (told, told)


def test_only_leads_read_comments(client, pilot):
    candidate = make_candidate(slug="phind")
    fill(pilot, [candidate])  # rated by six
    make_rating(pilot, candidate, make_user(name="Ada").person, comment="Wrong.", at=timezone.now())

    seen = {}
    for role in (Role.LEAD, Role.VIEWER):
        client.force_login(make_user(role))
        text = client.get("/pilots/team/candidates/phind/").text
        seen[role] = ("Wrong." in text, "Ada" in text)

    assert seen == {Role.LEAD: (True, False), Role.VIEWER: (False, False)}


# Refreshing itself

HTMX = {"HX-Request": "true"}


def test_a_panel_is_answered_with_304_until_something_changed(client, pilot, lead):
    fill(pilot, [make_candidate()])
    Generation.objects.create(pilot_id=pilot.id, number=1, rebuilt_at=NOON)
    first = client.get("/pilots/team/", headers=HTMX)

    again = client.get("/pilots/team/", headers=HTMX | {"If-None-Match": first["ETag"]})
    Generation.objects.filter(pilot_id=pilot.id).update(number=2)
    rebuilt = client.get("/pilots/team/", headers=HTMX | {"If-None-Match": first["ETag"]})
    RoutesVersion.objects.update_or_create(id=1, defaults={"version": 99})
    rerouted = client.get("/pilots/team/", headers=HTMX | {"If-None-Match": rebuilt["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b""
    assert (rebuilt.status_code, rerouted.status_code) == (200, 200)
    assert first["Cache-Control"] == "private, no-cache"
    # The panel asks again with the tag it was drawn from.
    assert f'"If-None-Match": "\\{first["ETag"][:-1]}\\""' in first.text


def test_another_role_is_never_answered_with_304(client, pilot, lead):
    tag = client.get("/pilots/team/", headers=HTMX)["ETag"]
    client.force_login(make_user(Role.VIEWER))

    assert client.get("/pilots/team/", headers=HTMX | {"If-None-Match": tag}).status_code == 200


def test_an_unchanged_panel_costs_six_queries_and_no_sums(
    client, pilot, lead, django_assert_max_num_queries
):
    fill(pilot, [make_candidate()])
    tag = client.get("/pilots/team/", headers=HTMX)["ETag"]

    with django_assert_max_num_queries(6):
        client.get("/pilots/team/", headers=HTMX | {"If-None-Match": tag})


def test_a_panel_is_not_a_page(client, pilot, lead):
    page = client.get("/pilots/team/")
    panel = client.get("/pilots/team/", headers=HTMX)

    assert (page.text.count("<html"), panel.text.count("<html")) == (1, 0)
    assert panel.text.count('hx-swap-oob="true"') == 2
    assert page.text.count("hx-swap-oob") == 0


# Query counts


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/pilots/team/", {}),
        ("/pilots/team/?days=7&task=chat", HTMX),
        ("/pilots/team/charts/", HTMX),
        ("/pilots/team/leaderboard.csv", {}),
        ("/pilots/team/candidates/", {}),
        ("/pilots/team/candidates/first/", {}),
    ],
)
def test_no_query_count_grows_with_candidates_days_or_people(
    client, pilot, lead, path, headers, django_assert_num_queries
):
    fill(pilot, [make_candidate(slug="first")], people=5)
    make_hosted(pilot, make_candidate(), pilot.starts_on, idle=1)
    client.get(path, headers=headers)
    with CaptureQueriesContext(connection) as few:
        client.get(path, headers=headers)
    fill(pilot, [make_candidate(), make_candidate()], people=9)
    hosted = make_candidate()
    make_trial(pilot, hosted)
    make_hosting(hosted, started_at=timezone.now() - timedelta(days=2))

    with django_assert_num_queries(len(few)):
        client.get(path, headers=headers)
