from collections import Counter
from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.metrics.histogram import (
    ANSWERS_MS,
    BUCKET_SQL,
    EDGES_MS,
    LARGEST_MS,
    bucket_of,
    percentile_ms,
)

DURATIONS = st.integers(0, LARGEST_MS) | st.integers(0, 100_000)


def test_every_value_is_within_two_percent_of_its_buckets_answer():
    for first, after in pairwise((*EDGES_MS, LARGEST_MS + 1)):
        answer = ANSWERS_MS[bucket_of(first)]
        assert bucket_of(first) == bucket_of(after - 1)
        assert first <= answer < after
        for value in (first, after - 1):
            assert abs(answer - value) <= 0.02 * value


def test_a_day_of_milliseconds_needs_few_buckets():
    assert bucket_of(86_400_000) == 407
    assert bucket_of(LARGEST_MS) == len(EDGES_MS) == 488


@pytest.mark.django_db
def test_the_database_finds_the_same_bucket_around_every_edge():
    values = sorted({value + step for value in EDGES_MS for step in (-1, 0, 1)} | {LARGEST_MS})
    query = f"SELECT ms, {BUCKET_SQL.format(column='ms')} FROM unnest(%(values)s::integer[]) AS ms"

    with connection.cursor() as cursor:
        cursor.execute(query, {"edges_ms": list(EDGES_MS), "values": values})
        theirs = dict(cursor.fetchall())

    assert theirs == {value: bucket_of(value) for value in values}


@given(st.lists(DURATIONS, min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_within_two_percent_of_the_true_one(durations, fraction):
    rank = max(1, -int(-fraction * len(durations) // 1))
    true = sorted(durations)[rank - 1]

    found = percentile_ms(Counter(bucket_of(ms) for ms in durations), fraction)

    assert abs(found - true) <= 0.02 * true


def test_percentiles_of_a_known_table():
    counts = {bucket_of(100): 50, bucket_of(1_000): 45, bucket_of(60_000): 5}

    found = [percentile_ms(counts, fraction) for fraction in (0.5, 0.51, 0.95, 0.951)]

    low, mid, high = (ANSWERS_MS[bucket_of(ms)] for ms in (100, 1_000, 60_000))
    assert found == [low, mid, mid, high]


@pytest.mark.parametrize("counts", [{}, {4: 0}])
def test_no_calls_have_no_percentile(counts):
    assert percentile_ms(counts, 0.5) is None
