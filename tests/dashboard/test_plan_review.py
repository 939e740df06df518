"""The last step of a plan: what it promises, what it costs, and the start."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone

from apps.accounts.models import Role
from apps.dashboard import plan_estimates
from apps.dashboard.plan_estimates import promises, simulated
from apps.dashboard.plan_review import goal_words, thresholds
from apps.metrics.stats.power import chances
from apps.pilots.models import Goal, Pilot, Plan
from apps.pilots.plan_queries import goals_of
from apps.pilots.plans import draft_pilot
from tests.factories import make_candidate, make_enrollment, make_hosting, make_price, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
PAGE = "/setup/pilots/p/plan/review/"
START = "/setup/pilots/p/plan/start/"


@pytest.fixture(autouse=True)
def admin(client):
    user = make_user(Role.ADMIN, totp_exempt=True)
    client.force_login(user)
    return user


@pytest.fixture
def candidates():
    tokens, hours = make_candidate(name="Tokens"), make_candidate(name="Hours")
    make_price(tokens, input_usd=1, output_usd=4)
    make_hosting(hours, usd_per_hour=Decimal("3.5"), count=2)
    return [tokens, hours]


@pytest.fixture
def pilot(candidates):
    monday = timezone.localdate() + timedelta(days=7 - timezone.localdate().weekday())
    return draft_pilot(
        slug="p",
        name="P",
        starts_on=monday,
        ends_on=monday + timedelta(days=27),
        zone="UTC",
        budget_usd=Decimal(900),
        now=timezone.now(),
    )


def shares(pilot, people=25):
    found = promises(pilot, goals_of(pilot), people)
    return [
        (each.role, each.why_not, [(look.chance.week, look.is_after) for look in each.chances])
        for each in found
    ]


def test_page_promises_and_estimates_by_what_is_set(client, pilot):
    context = client.get(PAGE).context

    assert shares(pilot) == [("Chat", "", [(2, False), (4, False), (6, True)])]
    low, four, six = (look.chance.share for look in context["promises"][0].chances)
    assert 0.3 < low < four < six <= 1
    # Of 25 developers at $0.52 a day half the calls, on 20 days; $7 an hour for 28 days.
    assert [row.pilot.likely for row in context["cost"].rows] == [Decimal(130), Decimal(4704)]
    assert context["pilot_range"] == "$1,465–4,964"
    assert (context["people"], context["enrolled"]) == (25, 0)


@pytest.mark.parametrize(
    ("change", "why_not"),
    [
        (
            lambda: Pilot.objects.update(stage="screening"),
            "A screening finds finalists; it gives no verdict.",
        ),
        (
            lambda: Goal.objects.update(candidate_ids=[1]),
            "There is no other candidate to be told apart from.",
        ),
        (
            lambda: Goal.objects.update(is_blind=False),
            "Without turns people choose whom they ask, so no verdict is given.",
        ),
    ],
)
def test_nothing_is_promised_that_a_pilot_cannot_tell(pilot, change, why_not):
    change()
    pilot.refresh_from_db()

    assert shares(pilot) == [("Chat", why_not, [])]


def test_who_takes_turns_counts_once_it_has_started(client, pilot):
    client.post(START)
    Goal.objects.update(candidate_ids=[], is_blind=False)
    pilot.refresh_from_db()

    found = promises(pilot, goals_of(pilot), 25)

    assert [(each.candidates, len(each.chances)) for each in found] == [(2, 3)]


def test_simulation_is_kept_and_bounded(monkeypatch):
    made_up = []

    def counted(**question):
        made_up.append(question)
        return chances(**question)

    monkeypatch.setattr(plan_estimates, "chances", counted)
    found = simulated("daily", 100_000, 50)

    assert simulated("daily", 100, 8) == found
    assert len(found) == 3
    # Many people and rivals: fewer pilots are made up, and never for more than these.
    assert made_up == [{"measure": "daily", "people": 100, "candidates": 8, "rounds": 100}]
    assert simulated("wins", 25, 2) != simulated("wins", 25, 3)
    assert made_up[1:] == [
        {"measure": "wins", "people": 25, "candidates": 2, "rounds": 400},
        {"measure": "wins", "people": 25, "candidates": 3, "rounds": 400},
    ]
    cache.clear()


def test_page_takes_few_queries_for_any_number_of_candidates(
    client, pilot, django_assert_max_num_queries
):
    for _ in range(3):
        make_price(make_candidate())
    client.get(PAGE)

    with django_assert_max_num_queries(24):
        client.get(PAGE)


def test_start_is_refused_while_something_is_missing(client, pilot):
    Goal.objects.update(candidate_ids=[])

    page = client.get(PAGE)
    response = client.post(START, follow=True)

    assert [each.title for each in page.context["blockers"]] == ["No candidate serves any role"]
    assert "disabled>Start P</button>" in page.content.decode()
    assert [str(each) for each in response.context["messages"]] == [
        "It cannot start yet. No candidate serves any role."
    ]
    assert Pilot.objects.get().is_draft


def test_start_opens_the_pilot_and_a_second_one_says_so(client, pilot):
    make_enrollment(pilot)

    first = client.post(START, follow=True)
    second = client.post(START, follow=True)

    assert not Pilot.objects.get().is_draft
    assert [str(each) for each in first.context["messages"]] == [
        "P has started. What was set is on record."
    ]
    assert [str(each) for each in second.context["messages"]] == ["P has started already."]
    assert "Start P</button>" not in first.content.decode()


def test_changes_after_the_start_stand_on_the_page(client, pilot):
    client.post(START)
    later = pilot.ends_on - timedelta(days=1)
    fields = {
        "decide_by": str(later),
        "tie_break": "cheapest",
        "residence_most": "outside",
        "calls_per_day": "120",
        "prompt_tokens_per_day": "400000",
        "completion_tokens_per_day": "30000",
        "first_content_ms_most": "2",
        "failed_share_most": "2",
        "upkeep_hours_week_most": "4",
        "chat_measure": "daily",
        "chat_margin": "0.3",
        "chat_least": "3.5",
    }

    client.post("/setup/pilots/p/plan/measures/", fields)

    late = client.get(PAGE).context["late"]
    assert [each.what for each in late] == [[("decide by", str(pilot.ends_on), str(later))]]


def test_plan_is_said_in_words():
    goal = Goal(role="chat", measure="daily", margin=Decimal("0.3000"), least=Decimal("3.5000"))
    wins = Goal(role="edit", measure="wins", margin=Decimal("0.0500"))
    plan = Plan(
        decide_by=date(2026, 12, 1),
        residence_most="private",
        first_content_ms_most=1_500,
        usd_per_year_most=Decimal("9000.000000000000"),
        failed_share_most=Decimal("0.0250"),
        upkeep_hours_week_most=Decimal("4.0"),
    )

    assert [goal_words(goal), goal_words(wins)] == [
        "The daily question, margin 0.3 points of the five, at least 3.5 of five",
        "Blind wins, margin 5 percentage points",
    ]
    assert [words for _, words in thresholds(plan)] == [
        "by role, as above",
        "answers begin within 1,500 ms; code goes no farther than a private path",
        "not set",
        "9,000 USD a year",
        "2.5% of calls may fail; 4 hours a week",
    ]
