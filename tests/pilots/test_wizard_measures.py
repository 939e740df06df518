"""The step of a pilot's plan that says how each role is judged."""

from datetime import date
from decimal import Decimal

import pytest

from apps.pilots.models import Goal, Plan
from tests.factories import make_pilot
from tests.pilots.planning import PAGES, said

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
MEASURES = {
    "decide_by": "2026-12-20",
    "tie_break": "fastest",
    "residence_most": "private",
    "first_content_ms_most": "1.5",
    "memory_gb": "80",
    "usd_per_year_most": "9000",
    "failed_share_most": "2.5",
    "upkeep_hours_week_most": "3",
    "calls_per_day": "100",
    "prompt_tokens_per_day": "1000",
    "completion_tokens_per_day": "200",
}


def test_measures_are_shown_and_stored_in_their_own_units(client, draft):
    form = client.get(PAGES[3]).context["form"]
    shown = [form[name].value() for name in ("chat_margin", "chat_least", "first_content_ms_most")]
    told = {"chat_measure": "wins", "chat_margin": "4", "chat_least": "", "go": "next"}

    response = client.post(PAGES[3], MEASURES | told)

    assert shown == ["0.3", "3.5", "2"]
    assert response.url == PAGES[4]
    assert Goal.objects.values_list("measure", "margin", "least").get() == (
        "wins",
        Decimal("0.04"),
        None,
    )
    plan = Plan.objects.get()
    assert (plan.decide_by, plan.tie_break, plan.residence_most) == (
        date(2026, 12, 20),
        "fastest",
        "private",
    )
    assert (plan.first_content_ms_most, plan.failed_share_most, plan.memory_gb) == (
        1_500,
        Decimal("0.025"),
        80,
    )
    assert (plan.calls_per_day, plan.prompt_tokens_per_day) == (100, 1_000)


def test_empty_margin_takes_the_usual_one(client, draft):
    client.post(PAGES[3], MEASURES | {"chat_measure": "wins", "chat_margin": ""})

    assert Goal.objects.get().margin == Decimal("0.05")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"chat_measure": "wins", "chat_margin": "0.3"},
            {"chat_margin": ["Give 1 to 50 percentage points."]},
        ),
        (
            {"chat_measure": "daily", "chat_margin": "3"},
            {"chat_margin": ["Give 0.1 to 2 points of the five."]},
        ),
        (
            {"chat_measure": "daily", "chat_least": "6"},
            {"chat_least": ["Give 1 to 5, points of the five."]},
        ),
        (
            {"chat_measure": "acceptance"},
            {
                "chat_measure": [
                    "Select a valid choice. acceptance is not one of the available choices."
                ]
            },
        ),
        (
            {"chat_measure": "daily", "tie_break": "baseline"},
            {"tie_break": ["There is nothing yet: say what the team has already."]},
        ),
        (
            {"chat_measure": "daily", "decide_by": "2026-11-30"},
            {"decide_by": ["The decision would fall before the first day."]},
        ),
    ],
)
def test_measures_say_what_is_wrong(client, draft, fields, expected):
    response = client.post(PAGES[3], MEASURES | fields)

    assert (said(response), Goal.objects.get().measure) == (expected, "daily")


def test_pilot_without_goals_gets_those_that_are_judged(client, admin):
    make_pilot(slug="autumn")

    told = {"edit_measure": "daily", "chat_measure": "", "completion_measure": ""}
    response = client.post(PAGES[3], MEASURES | told | {"agent_measure": ""})

    assert response.url == PAGES[4]
    assert list(Goal.objects.values_list("role", "margin")) == [("edit", Decimal("0.3"))]
