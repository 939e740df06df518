from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.gateway.contract import CandidateRoute, PriceRoute
from apps.gateway.estimate import Calibration
from apps.gateway.limits.cost import Need, expected, price_at, used
from apps.gateway.request import read_request
from tests.factories import make_record

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
# 1 USD a million in, 0.10 from the cache, 4 out.
PRICE = PriceRoute(NOW - HOUR, NOW + HOUR, 10**9, 10**8, 4 * 10**9)
LATER = PriceRoute(NOW + HOUR, None, 2 * 10**9, 2 * 10**9, 8 * 10**9)
PRICED = CandidateRoute(11, "c", 5, "m", prices=(PRICE, LATER))
UNPRICED = CandidateRoute(12, "d", 5, "m")
BODY = b'{"model":"m","messages":[],"max_tokens":2000}'


def record(prompt, cached, completion):
    return make_record(
        pilot_id=1,
        person_id=2,
        candidate_id=11,
        admitted_at=NOW,
        prompt_tokens=prompt,
        cached_tokens=cached,
        completion_tokens=completion,
    )


@pytest.mark.parametrize(
    ("after", "price"),
    [(-HOUR * 2, None), (-HOUR, PRICE), (HOUR - timedelta(microseconds=1), PRICE), (HOUR, LATER)],
)
def test_the_price_is_that_of_the_instant(after, price):
    assert price_at(PRICED, NOW + after) == price


def test_a_call_may_need_its_prompt_and_all_the_tokens_it_allows_itself():
    prompt = round(len(BODY) / 4)

    need = expected(PRICED, read_request(BODY), "chat/completions", Calibration(), NOW)

    assert need == Need(prompt + 1_024, prompt * 1_000 + 2_000 * 4_000)


@pytest.mark.parametrize("endpoint", ["embeddings", "rerank", "messages/count_tokens"])
def test_what_makes_no_tokens_needs_its_prompt_alone(endpoint):
    prompt = round(len(BODY) / 4)

    need = expected(PRICED, read_request(BODY), endpoint, Calibration(), NOW)

    assert need == Need(prompt, prompt * 1_000)


def test_without_a_price_no_money_is_taken():
    body = read_request(b'{"model":"m","prompt":"abc"}')

    assert expected(UNPRICED, body, "completions", Calibration(), NOW) == Need(7 + 1_024, 0)
    assert used(UNPRICED, record(10, None, 20)) == Need(30, 0)


def test_a_call_without_usage_has_used_nothing():
    assert used(PRICED, record(None, None, None)) == Need(0, 0)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_money_is_exact_and_rounded_up_to_a_nano_dollar(prompt, cached, completion):
    cached = min(cached, prompt)
    exact = (
        (prompt - cached) * Decimal("0.000001")
        + cached * Decimal("0.0000001")
        + completion * Decimal("0.000004")
    )

    nano = (exact * 10**9).to_integral_value(ROUND_CEILING)

    assert used(PRICED, record(prompt, cached, completion)) == Need(prompt + completion, int(nano))
