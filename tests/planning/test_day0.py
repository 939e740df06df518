from decimal import Decimal

from apps.planning.day0 import NOTHING, Load, Offer, Range, Span, cost, day_zero

# 25 developers, each with 400,000 tokens sent and 30,000 received on a working day.
TEAM = Load(people=25, prompt_tokens=400_000, completion_tokens=30_000)
FOUR_WEEKS = Span(working_days=20, days=28)
# $0.40 and $0.12 a developer and day: $0.52.
BY_TOKENS = Offer("Small", 1, Decimal(1), Decimal(4))
BY_HOURS = Offer("Ours", 2, usd_per_hour=Decimal("3.5"))
UNKNOWN = Offer("New", 3)


def amounts(low, likely, high):
    return Range(Decimal(low), Decimal(likely), Decimal(high))


def test_tokens_cost_by_the_developer_and_working_day():
    assert cost(BY_TOKENS, TEAM, FOUR_WEEKS, Decimal(1)) == amounts("130", "260", "520")


def test_machines_run_ten_hours_a_working_day_or_around_the_clock():
    assert cost(BY_HOURS, TEAM, FOUR_WEEKS, Decimal("0.5")) == amounts("700", "2352", "2352")


def test_who_is_paid_by_both_costs_both():
    both = Offer("Both", 4, Decimal(1), Decimal(4), Decimal("3.5"))

    assert cost(both, TEAM, FOUR_WEEKS, Decimal(1)) == amounts("830", "2612", "2872")


def test_candidates_share_the_calls_of_the_pilot_and_one_serves_the_year():
    found = day_zero(TEAM, [BY_TOKENS, BY_HOURS], FOUR_WEEKS)

    assert [row.pilot for row in found.rows] == [
        amounts("65", "130", "260"),
        amounts("700", "2352", "2352"),
    ]
    # 220 working days of 25 developers at $0.52; 365 days around the clock at $3.50.
    assert [row.year for row in found.rows] == [
        amounts("1430", "2860", "5720"),
        amounts("7700", "30660", "30660"),
    ]
    assert found.pilot == amounts("765", "2482", "2612")
    assert found.year == amounts("1430", "2860", "30660")
    assert found.unknown == ()


def test_what_has_no_price_is_in_no_sum_and_is_named():
    found = day_zero(TEAM, [BY_TOKENS, UNKNOWN], FOUR_WEEKS)

    assert [row.pilot for row in found.rows] == [amounts("65", "130", "260"), None]
    assert found.pilot == amounts("65", "130", "260")
    assert found.unknown == ("New",)


def test_nothing_is_said_where_nothing_is_known():
    assert [day_zero(TEAM, offers, FOUR_WEEKS).year for offers in ([], [UNKNOWN])] == [None, None]


def test_what_is_free_costs_nothing():
    free = Offer("Free", 5, Decimal(0), Decimal(0))

    assert cost(free, TEAM, FOUR_WEEKS, Decimal(1)) == NOTHING
