"""The data sheet: made from the settings, and blind to whoever rates."""

from decimal import Decimal

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.dashboard.data_sheet import places, records, seen_by
from apps.pilots.models import Goal
from tests.factories import (
    make_candidate,
    make_enrollment,
    make_pilot,
    make_provider,
    make_trial,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
PAGE = "/pilots/p/data-sheet/"


@pytest.fixture
def pilot():
    pilot = make_pilot(slug="p")
    inside = make_provider(name="Rack", residence="inside")
    outside = make_provider(name="Elsewhere Inc", residence="outside", region="eu-west-1")
    arms = [make_candidate(name=name, provider=outside) for name in ("Arm A", "Arm B")]
    for each in (*arms, make_candidate(name="Open One", provider=inside)):
        make_trial(pilot, each)
    Goal.objects.create(
        pilot=pilot,
        role="chat",
        measure="daily",
        margin=Decimal("0.3"),
        candidate_ids=[each.id for each in arms],
    )
    return pilot


def sign_in(client, role, pilot=None):
    user = make_user(role, totp_exempt=True)
    if pilot is not None:
        make_enrollment(pilot, user.person)
    client.force_login(user)


def test_whoever_rates_reads_classes_of_place_and_no_blind_names(client, pilot):
    sign_in(client, Role.DEVELOPER, pilot)

    response = client.get(PAGE)

    text = response.content.decode()
    assert [(each.count, each.regions, each.names) for each in response.context["places"]] == [
        (1, [], ["Open One at Rack"]),
        (2, ["eu-west-1"], []),
    ]
    assert [name in text for name in ("Arm A", "Arm B", "Elsewhere", "Open One")] == [
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("role", [Role.ADMIN, Role.LEAD, Role.VIEWER])
def test_those_who_see_results_read_all_names(client, pilot, role):
    sign_in(client, role)

    assert client.get(PAGE).context["places"][1].names == [
        "Arm A at Elsewhere Inc",
        "Arm B at Elsewhere Inc",
    ]


def test_everybody_reads_all_names_at_the_end(client, pilot):
    sign_in(client, Role.DEVELOPER, pilot)
    pilot.closed_at = timezone.now()
    pilot.save()

    assert len(client.get(PAGE).context["places"][1].names) == 2


def test_blind_wins_hide_every_name(pilot):
    Goal.objects.update(measure="wins", candidate_ids=[])

    assert [each.names for each in places(pilot, names_blind=False)] == [[], []]


def test_sheet_follows_the_settings(client, pilot):
    sign_in(client, Role.DEVELOPER, pilot)
    before = dict(seen_by(pilot))["Leads"]
    pilot.people_named, pilot.sample_share = True, Decimal("0.125")
    pilot.daily_question, pilot.pulse_questions = "How did it go?", ["", "Miss it?", "", ""]
    pilot.widget_origins = ["https://tools.example.com"]
    pilot.save()

    context = client.get(PAGE).context

    seen = dict(context["seen_by"])
    assert "names nobody" in before
    assert "it names people" in seen["Leads"]
    assert "https://tools.example.com" in seen["Pages with our rating widget"]
    assert context["questions"][0] == "How did it go?"
    assert context["questions"][2] == "Miss it?"
    ratings = next(each for each in context["records"] if each.what == "Ratings")
    assert ratings.holds.endswith("chance asks about 12.5% of answers")


def test_nothing_is_said_to_be_asked_that_is_not(pilot):
    pilot.sample_share = Decimal(0)

    ratings = next(each for each in records(pilot) if each.what == "Ratings")

    assert "chance" not in ratings.holds


def test_it_is_not_there_for_those_who_take_no_part(client, pilot):
    sign_in(client, Role.DEVELOPER)

    assert client.get(PAGE).status_code == 404
