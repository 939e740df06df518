from collections import Counter
from decimal import Decimal

import pytest

from apps.metrics.histogram import bucket_of
from apps.metrics.sums import Figures, HostingSums, LatencySums, UsageSums


def test_sums_add_up_and_people_are_counted_once():
    one = UsageSums(
        calls=3,
        token_usd=Decimal("0.1"),
        people=frozenset({1, 2}),
        callers=frozenset({1, 2, 9}),
    )
    other = UsageSums(
        calls=4,
        token_usd=Decimal("0.2"),
        liked=1,
        people=frozenset({2, 3}),
        callers=frozenset({2, 3}),
        raters=frozenset({3}),
    )

    assert one + other == UsageSums(
        calls=7,
        liked=1,
        token_usd=Decimal("0.3"),
        people=frozenset({1, 2, 3}),
        callers=frozenset({1, 2, 3, 9}),
        raters=frozenset({3}),
    )


def test_shares_are_of_what_they_should_be():
    usage = UsageSums(
        calls=200,
        failed=3,
        rateable=50,
        rated=20,
        liked=15,
        stars=4,
        stars_sum=14,
        generation_ms=4000,
        generation_tokens=180,
    )

    assert usage.error_share == 0.015
    assert usage.coverage == 0.4
    assert usage.liked_share == 0.75
    assert usage.mean_stars == 3.5
    assert usage.tokens_per_s == 45


@pytest.mark.parametrize(
    "name",
    ["error_share", "coverage", "liked_share", "liked_interval", "mean_stars", "tokens_per_s"],
)
def test_nothing_known_is_none_and_never_zero(name):
    assert getattr(UsageSums(), name) is None


def test_headline_cost_includes_idle_machines_and_the_busy_one_does_not():
    figures = Figures(
        UsageSums(calls=10, token_usd=Decimal(1), hosting_usd=Decimal(2)),
        HostingSums(busy_usd=Decimal(2), idle_usd=Decimal(7)),
    )

    assert figures.cost_usd == 10
    assert figures.busy_cost_usd == 3
    assert figures.cost_per_call_usd == 1
    assert figures.busy_cost_per_call_usd == Decimal("0.3")
    assert figures.hosting.idle_share == pytest.approx(7 / 9)


def test_idle_machines_belong_to_no_task():
    figures = Figures(
        UsageSums(calls=10, token_usd=Decimal(1), hosting_usd=Decimal(2)),
        HostingSums(busy_usd=Decimal(9), idle_usd=Decimal(90)),
        task_only=True,
    )

    assert figures.cost_usd == figures.busy_cost_usd == 3


def test_cost_per_liked_answer_is_that_of_the_rated_tasks_with_their_part_of_idle_hours():
    usage = UsageSums(
        calls=100,
        token_usd=Decimal(3),
        hosting_usd=Decimal(4),
        answer_token_usd=Decimal(2),
        answer_hosting_usd=Decimal(1),
        rateable=40,
        rated=10,
        liked=8,
    )
    figures = Figures(usage, HostingSums(busy_usd=Decimal(4), idle_usd=Decimal(8)))

    # 2 + 1, and a quarter of the idle hours: 5 USD over 40 answers, of which 0.8 are liked.
    assert figures.answer_cost_usd == 5
    assert figures.cost_per_answer_usd == Decimal("0.125")
    assert figures.cost_per_liked_usd == Decimal("0.15625")


def test_what_cannot_be_costed_is_unknown_and_never_free():
    uncosted = Figures(UsageSums(calls=5, uncosted=5, rateable=5, rated=2, liked=1))
    free = Figures(UsageSums(calls=5))

    assert uncosted.cost_per_call_usd is None
    assert uncosted.known_cost_usd is None
    assert uncosted.cost_per_liked_usd is None
    assert free.cost_per_call_usd == 0


def test_what_has_no_price_does_not_make_the_rest_cheaper():
    """Of ten calls six have a price: 3 USD, 30,000 tokens and four answers are theirs."""
    usage = UsageSums(
        calls=10,
        uncosted=4,
        prompt_tokens=40_000,
        completion_tokens=10_000,
        uncosted_tokens=20_000,
        token_usd=Decimal(3),
        answer_token_usd=Decimal(2),
        rateable=8,
        uncosted_rateable=4,
        rated=2,
        liked=1,
    )
    figures = Figures(usage)

    assert figures.cost_per_call_usd == figures.busy_cost_per_call_usd == Decimal("0.5")
    assert figures.cost_per_mtok_usd == 100
    assert figures.cost_per_answer_usd == Decimal("0.5")
    assert figures.cost_per_liked_usd == 1


def test_idle_machines_have_a_cost_though_no_call_does():
    figures = Figures(UsageSums(calls=5, uncosted=5), HostingSums(idle_usd=Decimal(8)))

    assert (figures.known_cost_usd, figures.cost_per_call_usd) == (8, None)


def test_nobody_liking_anything_makes_no_cost_per_liked_answer():
    figures = Figures(UsageSums(calls=5, answer_token_usd=Decimal(1), rateable=5, rated=2))

    assert figures.cost_per_liked_usd is None


def test_histograms_add_up():
    one = LatencySums(Counter({bucket_of(40): 9}), Counter())
    other = LatencySums(Counter({bucket_of(40): 1, bucket_of(900): 10}), Counter())

    both = one + other

    assert both.calls == 20
    assert both.first_ms(0.5) == 40
    assert both.first_ms(0.95) == pytest.approx(900, rel=0.02)
    assert both.total_ms(0.5) is None
