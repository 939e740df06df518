"""Latency as a histogram. Histograms of two hours add up; their percentiles do not.

A bucket is a range of whole milliseconds and the one value it answers with, which is at most 2 %
away from every value in it: so buckets grow by 1.02 / 0.98, about 4 %, and below 50 ms hold
one value each. Changing the edges means rebuilding everything.
"""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

LARGEST_MS: Final = 2**31 - 1


def _buckets() -> tuple[tuple[int, int], ...]:
    """Each bucket's first value and its answer; in whole numbers, the same on every platform."""
    buckets = [(0, 0)]
    first = 1
    while first <= LARGEST_MS:
        answer = min(first * 102 // 100, LARGEST_MS)
        buckets.append((first, answer))
        first = answer * 100 // 98 + 1
    return tuple(buckets)


# Where each bucket but the first begins; bucket 0 holds what is below a millisecond.
EDGES_MS: Final = tuple(first for first, _ in _buckets()[1:])
ANSWERS_MS: Final = tuple(answer for _, answer in _buckets())

# The bucket of a column of milliseconds; needs the parameter `edges_ms`, a list of EDGES_MS.
# width_bucket over an array finds the place as bisect_right does: no logarithm is taken on either
# side, so none can be rounded to the other side of an edge.
BUCKET_SQL: Final = "width_bucket({column}, %(edges_ms)s::integer[])"


def bucket_of(ms: int) -> int:
    """Return the bucket of a duration in whole milliseconds, at most LARGEST_MS."""
    return bisect_right(EDGES_MS, ms)


def percentile_ms(calls_by_bucket: Mapping[int, int], fraction: float) -> int | None:
    """Return a percentile in milliseconds, within 2 %; None where there are no calls.

    It is the nearest-rank percentile: the answer of the bucket that holds the smallest value which
    at least `fraction` of the calls (0 to 1) do not exceed.
    """
    total = sum(calls_by_bucket.values())
    if total == 0:
        return None
    seen, bucket = 0, 0
    for bucket in sorted(calls_by_bucket):
        seen += calls_by_bucket[bucket]
        if seen >= fraction * total and seen > 0:
            break
    return ANSWERS_MS[bucket]
