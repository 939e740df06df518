from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.money import MONEY_STEP
from apps.usage.ingest import store_records
from apps.usage.models import Call
from tests.factories import NOON, make_candidate, make_price, make_record

pytestmark = pytest.mark.django_db

NOTHING_TOLD = {
    "prompt_tokens": None,
    "cached_tokens": None,
    "completion_tokens": None,
    "usage_source": "none",
}


def stored(candidate, **fields):
    record = make_record(pilot_id=1, person_id=1, candidate_id=candidate.id, **fields)
    store_records([record])
    return Call.objects.get(id=record.id)


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        # 1,000 in at $2, 100 out at $4 per million
        ({}, "0.0024"),
        ({"cached_tokens": None}, "0.0024"),
        # 600 of the 1,000 from the cache, at $1
        ({"cached_tokens": 600}, "0.0018"),
        ({"prompt_tokens": 0, "completion_tokens": 0}, "0"),
        # estimated tokens cost like told ones
        ({"outcome": "client_cancelled", "usage_source": "estimated"}, "0.0024"),
        ({"outcome": "stream_broken", "usage_source": "estimated"}, "0.0024"),
        # the provider failed: nothing was had, nothing is paid
        ({"outcome": "upstream_error", "status": 502} | NOTHING_TOLD, "0"),
        ({"outcome": "upstream_timeout", "status": 504} | NOTHING_TOLD, "0"),
        # the stream broke before any content; the developer left before anything was sent
        ({"outcome": "stream_broken", "status": 200} | NOTHING_TOLD, "0"),
        ({"outcome": "client_cancelled", "status": 499} | NOTHING_TOLD, "0"),
        # it failed, and charges what it told
        ({"outcome": "upstream_error", "status": 500}, "0.0024"),
        # embeddings make no tokens
        ({"endpoint": "embeddings", "task": "embed", "completion_tokens": None}, "0.002"),
        ({"endpoint": "rerank", "task": "rerank", "completion_tokens": None}, "0.002"),
        # uncosted: somebody had an answer, and nobody knows how long it was
        (NOTHING_TOLD, None),
        ({"completion_tokens": None}, None),
        ({"prompt_tokens": None, "cached_tokens": None}, None),
        # half a count is none
        ({"outcome": "stream_broken", "completion_tokens": None}, None),
        ({"outcome": "client_cancelled", "completion_tokens": None}, None),
        ({"outcome": "crashed_unknown"} | NOTHING_TOLD, None),
    ],
)
def test_cost_is_the_tokens_at_their_prices(fields, cost):
    candidate = make_candidate()
    price = make_price(candidate, input_usd=2, output_usd=4, cached_usd=1)

    call = stored(candidate, **fields)

    assert (call.cost_usd, call.price_id) == (
        (None, None) if cost is None else (Decimal(cost), price.id)
    )


def test_the_price_in_force_at_admission_counts_to_the_microsecond():
    candidate = make_candidate()
    noon = {"valid_from": NOON - timedelta(days=1), "valid_to": NOON}
    cheap = make_price(candidate, 2, 4, **noon)
    dear = make_price(candidate, 20, 40, valid_from=NOON, valid_to=NOON + timedelta(hours=1))

    calls = [
        stored(candidate, at=at)
        for at in (
            NOON - timedelta(days=1, milliseconds=1),
            NOON - timedelta(milliseconds=1),
            NOON,
            NOON + timedelta(hours=1),
        )
    ]

    assert [(call.price_id, call.cost_usd) for call in calls] == [
        (None, None),
        (cheap.id, Decimal("0.0024")),
        (dear.id, Decimal("0.024")),
        (None, None),
    ]


def test_another_candidates_price_is_not_ours():
    make_price(make_candidate())

    call = stored(make_candidate())

    assert (call.cost_usd, call.price_id) == (None, None)


def test_zero_is_a_price():
    candidate = make_candidate()
    price = make_price(candidate, 0, 0, 0)

    call = stored(candidate)

    assert (call.cost_usd, call.price_id) == (Decimal(0), price.id)


PRICES = st.decimals(0, 2_000, places=12)
TOKENS = st.integers(0, 2_000_000)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.tuples(PRICES, PRICES, PRICES),
    TOKENS.flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    TOKENS,
)
def test_the_database_computes_as_decimal_does(prices, prompt, completion):
    candidate = make_candidate()
    price = make_price(candidate, *prices)
    tokens, cached = prompt
    exact = (
        (tokens - cached) * price.input_usd_per_mtok
        + cached * price.cached_usd_per_mtok
        + completion * price.output_usd_per_mtok
    ) / Decimal(1_000_000)

    call = stored(
        candidate, prompt_tokens=tokens, cached_tokens=cached, completion_tokens=completion
    )

    assert call.cost_usd == exact.quantize(MONEY_STEP, ROUND_HALF_UP)
