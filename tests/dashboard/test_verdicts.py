from datetime import timedelta
from decimal import Decimal

import pytest

from apps.catalog.models import Provider
from apps.dashboard.leaderboard import leaderboard
from apps.dashboard.spending import spending
from apps.dashboard.verdicts import Agreed, budget, fit, memory, quality, upkeep, value, verdicts
from apps.metrics.quality import qualities
from apps.metrics.queries_days import DaySpend
from apps.pilots.models import Plan
from tests.dashboard.pieces import ALL, FIVE, TODAY, candidate, figures, rated
from tests.metrics.test_quality import KNOWN, finding


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


def placed(*residences, first=None):
    """One candidate for each place that code may go to; all begin to answer as fast."""
    candidates = [
        candidate(n, provider=Provider(name="Prov", residence=residence))
        for n, residence in enumerate(residences, start=1)
    ]
    known = {each.id: figures(first=first) for each in candidates}
    return leaderboard(candidates, known, reader=ALL)


def test_where_code_goes_is_counted_and_not_called_a_fit():
    verdict = fit(placed("inside", "private", "outside"))

    assert (verdict.state, verdict.value) == ("data", "2 of 3")
    assert fit([]).value == "–"


@pytest.mark.parametrize(
    ("rows", "residence", "first_ms", "told"),
    [
        (placed("outside"), "private", None, ("no", "0 of 1")),
        (placed("inside", "outside"), "private", None, ("data", "1 of 2")),
        (placed("inside", "outside", first={400: 100}), "private", 500, ("yes", "1 of 2")),
        (placed("inside", first={900: 100}), "outside", 500, ("no", "0 of 1")),
        (placed("inside"), "outside", 500, ("data", "0 of 1")),
    ],
)
def test_a_deployment_fits_where_code_may_go_and_soon_enough(rows, residence, first_ms, told):
    plan = Plan(residence_most=residence, first_content_ms_most=first_ms)

    verdict = fit(rows, plan)

    assert (verdict.state, verdict.value) == told


def test_memory_that_is_there_is_told_and_not_judged():
    assert (memory().state, memory().value) == ("data", "–")
    assert memory(Plan(memory_gb=160)).value == "160 GB"


@pytest.mark.parametrize(
    ("least", "told"),
    [
        (3.5, ("yes", "4.0", "chat: Model 1 (3.8–4.3); at least 3.5 was asked for")),
        (4.0, ("early", "4.0", "chat: Model 1 (3.8–4.3); at least 4.0 was asked for")),
        (4.5, ("no", "4.0", "chat: Model 1 (3.8–4.3); at least 4.5 was asked for")),
        (None, ("data", "4.0", "chat: Model 1 (3.8–4.3); no least was set")),
    ],
)
def test_quality_is_held_against_what_was_asked_for(least, told):
    agreed = Agreed(least={} if least is None else {"chat": least})

    verdict = quality(qualities([finding()], KNOWN, reader=ALL), agreed)

    assert (verdict.state, verdict.value, verdict.evidence) == told


def test_what_the_team_has_may_be_better():
    agreed = Agreed(least={"chat": 3.5}, baseline="Copilot")

    verdict = quality(qualities([finding(baseline=4.6)], KNOWN, reader=ALL), agreed)

    assert verdict.state == "no"
    assert verdict.evidence == (
        "chat: Model 1 (3.8–4.3); Copilot 4.6, not blind: stay with what you have"
    )


def test_quality_worth_having_may_not_tell_who_is_best_yet():
    early = finding(state="early", winner_id=None)

    verdict = quality(qualities([early], KNOWN, reader=ALL), Agreed(least={"chat": 3.5}))

    assert verdict.state == "yes"
    assert verdict.evidence.endswith("; which is best is not told yet")


def test_quality_of_nobody_and_of_few_needs_data():
    nobody = qualities([finding(state="nothing", places=(), people=0)], KNOWN, reader=ALL)
    few = qualities([finding(people=3)], KNOWN, reader=FIVE)

    assert quality(nobody, Agreed()).evidence == "nobody has answered yet"
    assert quality(few, Agreed()).evidence.startswith("Fewer than 5 people have answered")


def test_calls_may_fail_too_often_to_be_kept_up():
    rows = leaderboard([candidate(1)], {1: rated(0, 0, calls=1000, failed=60)}, reader=ALL)

    strict = upkeep(rows, Agreed(plan=Plan(failed_share_most=Decimal("0.02"))))
    lenient = upkeep(rows, Agreed(plan=Plan(failed_share_most=Decimal("0.05"))))

    assert (strict.state, lenient.state) == ("no", "data")
    assert strict.evidence.endswith("; at most 2.0% may fail")


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
