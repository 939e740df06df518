"""The steps of a pilot's plan, as an administrator's browser meets them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.pilots.models import Goal, Pilot, Plan, Trial
from tests.factories import make_enrollment, make_pilot, make_user
from tests.pilots.planning import BASICS, PAGES, said

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def test_form_begins_today_for_four_weeks(client, admin):
    form = client.get("/setup/create-pilot/").context["form"]

    today = timezone.localdate()
    assert [form[name].value() for name in ("starts_on", "ends_on", "zone")] == [
        today,
        today + timedelta(days=27),
        "UTC",
    ]


def test_first_step_makes_a_draft_and_leads_on(client, admin):
    response = client.post("/setup/create-pilot/", BASICS | {"go": "next"})

    names = ("name", "starts_on", "ends_on", "zone", "budget_usd", "started_at")
    assert response.url == "/setup/pilots/autumn/plan/candidates/"
    assert Pilot.objects.values_list(*names).get(slug="autumn") == (
        "Autumn",
        date(2026, 12, 1),
        date(2026, 12, 28),
        "Europe/Berlin",
        Decimal(1500),
        None,
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"slug": "taken"}, {"slug": ["Another pilot has this one; give another."]}),
        ({"ends_on": "2026-11-01"}, {"ends_on": ["The last day lies before the first."]}),
        (
            {"zone": "Atlantis"},
            {"zone": ["There is no such time zone; write it like Europe/Berlin."]},
        ),
        ({"starts_on": "soon"}, {"starts_on": ["Enter a valid date."]}),
    ],
)
def test_first_step_says_what_is_wrong(client, admin, fields, expected):
    make_pilot(slug="taken")

    response = client.post("/setup/create-pilot/", BASICS | fields)

    assert (said(response), Pilot.objects.count()) == (expected, 1)


@pytest.mark.parametrize("page", PAGES)
def test_every_step_opens_in_any_order_and_names_all(client, draft, page):
    response = client.get(page)

    steps = response.context["steps"]
    assert response.status_code == 200
    assert [each.url for each in steps] == PAGES
    assert [each.url for each in steps if each.current] == [page]


def test_step_that_holds_a_blocker_is_marked(client, draft):
    Goal.objects.update(candidate_ids=[])

    steps = client.get(PAGES[3]).context["steps"]

    assert [each.label for each in steps if each.is_blocked] == ["Stage and candidates"]


def test_basics_are_changed_and_lead_on_or_stay(client, draft):
    form = client.get(PAGES[0]).context["form"]
    stayed = client.post(PAGES[0], BASICS | {"name": "Winter", "go": "stay"})
    went = client.post(PAGES[0], BASICS | {"go": "next"})

    assert form["budget_usd"].value() == "1500"
    assert (stayed.url, went.url) == (PAGES[0], PAGES[1])
    assert Pilot.objects.get().name == "Autumn"


def test_candidates_are_proposed_and_chosen(client, draft, candidates):
    shown = client.get(PAGES[1]).context["rows"]
    form = {
        "stage": "trial",
        "people_expected": "30",
        "chat": [candidates[1].id, candidates[2].id],
        "edit": [candidates[3].id],
        "chat_blind": "on",
        "go": "next",
    }
    response = client.post(PAGES[1], form)

    boxes = [[box.role for box in row.boxes if box.is_checked] for row in shown]
    assert boxes == [["chat"], ["chat"], [], []]
    assert response.url == PAGES[2]
    goals = Goal.objects.order_by("role").values_list("role", "is_blind", "candidate_ids")
    assert list(goals) == [
        ("chat", True, [candidates[1].id, candidates[2].id]),
        ("edit", False, [candidates[3].id]),
    ]
    assert Plan.objects.get().people_expected == 30
    assert Trial.objects.filter(dropped_at=None).count() == 3


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"people_expected": "39", "chat": [0, 1, 2, 3]},
            {
                "stage": [
                    "A trial by fewer than 40 people can tell 3 candidates of a role apart, no "
                    "more. Screen the others first."
                ]
            },
        ),
        (
            {"stage": "screening", "people_expected": "6", "chat": [0]},
            {
                "people_expected": [
                    "A screening is for 5 people at most; with more, make it a trial."
                ]
            },
        ),
        ({}, {"__all__": ["Choose a candidate for one role at least."]}),
        (
            {"people_expected": "0"},
            {"people_expected": ["Ensure this value is greater than or equal to 1."]},
        ),
    ],
)
def test_stage_that_does_not_suit_is_refused_on_the_page(
    client, draft, candidates, fields, expected
):
    told = {"stage": "trial", "people_expected": "25"} | fields
    told["chat"] = [candidates[place].id for place in fields.get("chat", ())]

    response = client.post(PAGES[1], told)

    assert said(response) == expected
    boxes = [box.is_checked for row in response.context["rows"] for box in row.boxes]
    assert sum(boxes) == len(told["chat"])


def test_page_says_why_candidates_cannot_take_turns(client, draft, candidates):
    for each, tokens in zip(candidates[:2], (8_000, 64_000), strict=True):
        each.context_tokens = tokens
        each.save()

    clash = client.get(PAGES[1]).context["clashes"][0]

    assert (clash.role, len(clash.reasons)) == ("Chat", 1)


def test_candidates_of_a_started_pilot_are_not_chosen_here(client, admin):
    make_pilot(slug="autumn")

    page = client.get(PAGES[1]).content.decode()
    response = client.post(PAGES[1], {"stage": "trial", "people_expected": "25"})

    assert "It has started" in page
    assert said(response) == {
        "__all__": ["It has started: candidates are dropped and added under Candidates and people."]
    }


def test_promise_of_no_names_is_kept(client, draft):
    make_enrollment(draft)

    told = {"rating_scale": "thumbs", "sample_share": "5", "people_named": "on"}
    response = client.post(PAGES[2], told)

    assert said(response) == {
        "people_named": ["People have joined on the promise that leads see no names."]
    }


def test_closed_pilot_offers_no_saving(client, admin):
    make_pilot(slug="autumn", closed_at=timezone.now())

    pages = [client.get(page).content.decode() for page in PAGES]
    response = client.post(PAGES[0], BASICS)

    assert [">Save" in page for page in pages] == [False] * 5
    assert said(response) == {"__all__": ["This pilot is closed; nothing in it changes any more."]}


@pytest.mark.parametrize("role", [Role.LEAD, Role.DEVELOPER, Role.VIEWER])
def test_nobody_else_plans_a_pilot(client, role):
    make_pilot(slug="autumn", started_at=None)
    client.force_login(make_user(role))

    paths = [*PAGES, "/setup/create-pilot/", "/setup/pilots/autumn/plan/start/"]

    assert {client.post(path, BASICS).status_code for path in paths} == {403}
    assert Pilot.objects.get().is_draft


@pytest.mark.parametrize("role", [Role.LEAD, Role.DEVELOPER, Role.VIEWER])
def test_draft_is_there_for_administrators_alone(client, role):
    pilot, user = make_pilot(slug="autumn", started_at=None), make_user(role)
    make_enrollment(pilot, user.person)
    client.force_login(user)

    page = client.get("/account/")

    assert (page.context["pilot"], page.context["pilots"]) == (None, [])
    assert client.get("/pilots/autumn/data-sheet/").status_code == 404
