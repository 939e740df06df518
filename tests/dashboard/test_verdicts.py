from datetime import timedelta
from decimal import Decimal

import pytest

from apps.catalog.models import Provider
from apps.dashboard.leaderboard import leaderboard
from apps.dashboard.spending import spending
from apps.dashboard.verdicts import budget, fit, upkeep, value, verdicts
from apps.metrics.queries_days import DaySpend
from tests.dashboard.pieces import ALL, FIVE, TODAY, candidate, rated


def spent(*amounts, budget_usd, is_running=True, ahead=4, uncosted=0):
    """The last whole days and today, a pilot that ends `ahead` days later."""
    own = [
        DaySpend(
            TODAY - timedelta(days=len(amounts) - 1 - n), Decimal(amount), Decimal(0), uncosted
        )
        for n, amount in enumerate(amounts)
    ]
    limit = None if budget_usd is None else Decimal(budget_usd)
    last = TODAY + timedelta(days=ahead)
    return spending(
        [candidate(1)],
        {1: own},
        reader=ALL,
        budget_usd=limit,
        today=TODAY,
        last=last,
        is_running=is_running,
    )


TENS = (10, 10, 10, 10)


@pytest.mark.parametrize(
    ("case", "state", "number"),
    [
        # 30 so far, 10 for today and each of four days: 80 by the end.
        (spent(*TENS, budget_usd=80), "yes", "$80.00–80.00"),
        (spent(*TENS, budget_usd=79), "no", "$80.00–80.00"),
        # The range reaches over the budget on both sides.
        (spent(5, 15, 10, 10, budget_usd=80), "early", None),
        # Spent already: no forecast is needed.
        (spent(*TENS, budget_usd=39), "no", "$40.00"),
        # Nothing to hold it against, or too little to go by, or not all of it known.
        (spent(*TENS, budget_usd=None), "data", "$40.00"),
        (spent(10, 10, budget_usd=80), "data", "$20.00"),
        (spent(*TENS, budget_usd=80, uncosted=1), "data", "$80.00–80.00"),
        # Over: what it cost is known.
        (spent(*TENS, budget_usd=80, is_running=False), "yes", "$40.00"),
        (spent(*TENS, budget_usd=80, is_running=False, uncosted=2), "data", "$40.00"),
        (spent(budget_usd=80, is_running=False), "data", "$0"),
    ],
)
def test_the_budget_is_judged_only_by_what_is_known(case, state, number):
    verdict = budget(case)

    assert verdict.state == state
    assert number in (None, verdict.value)


def test_the_budget_names_its_limit_and_what_is_missing():
    assert budget(spent(*TENS, budget_usd=1500, uncosted=3)).evidence == (
        "by 22 Nov at this pace, $40.00 so far; budget $1,500; "
        "12 calls have no price and are not in it"
    )


def test_the_best_share_is_told_without_a_yes_because_no_goal_is_set():
    rows = leaderboard(
        [candidate(1), candidate(2)], {1: rated(40, 50), 2: rated(45, 50)}, reader=ALL
    )

    verdict = value(rows)

    assert (verdict.state, verdict.value) == ("data", "90%")
    assert verdict.evidence == (
        "of 50 rated answers liked (79–96), Model 2; no goal is set to hold it against"
    )


@pytest.mark.parametrize(
    ("rateable", "evidence"),
    [
        (0, "no answer to rate yet: it begins with the first chat or edit"),
        (1200, "1,200 answers could be rated, none was: ask for ratings"),
    ],
)
def test_without_ratings_the_next_step_is_told(rateable, evidence):
    rows = leaderboard([candidate(1)], {1: rated(0, 0, rateable=rateable)}, reader=ALL)

    assert (value(rows).value, value(rows).evidence) == ("–", evidence)


def test_where_code_goes_is_counted_and_not_called_a_fit():
    inside = candidate(1, provider=Provider(name="vLLM", residence="inside"))
    private = candidate(2, provider=Provider(name="Bedrock", residence="private"))

    assert (
        fit([inside, private, candidate(3)]).state,
        fit([inside, private, candidate(3)]).value,
    ) == ("data", "2 of 3")
    assert fit([]).value == "–"


def test_calls_that_did_not_fail_are_a_share_with_its_interval():
    rows = leaderboard([candidate(1)], {1: rated(0, 0, calls=1000, failed=12)}, reader=ALL)

    assert upkeep(rows).value == "98.8%"
    assert upkeep(rows).evidence == (
        "of 1,000 calls did not fail (97.9–99.3); who updates and watches it is not written down"
    )
    assert upkeep([]).value == "–"


def test_an_empty_pilot_answers_nothing():
    found = verdicts([], spent(budget_usd=None))

    assert [verdict.number for verdict in found] == [1, 2, 3, 4, 5]
    assert {verdict.state for verdict in found} == {"data"}


def test_too_few_people_are_not_called_none():
    few = rated(3, 4, callers=frozenset({1, 2}), raters=frozenset({1}))
    rows = leaderboard([candidate(1)], {1: few}, reader=FIVE)

    assert value(rows).evidence == "too few people have rated a candidate yet"
    assert upkeep(rows).evidence == (
        "too few people have called yet; who updates and watches it is not written down"
    )
