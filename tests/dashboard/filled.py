"""A pilot whose every figure a test knows."""

from django.utils import timezone

from apps.core.periods import DAY
from tests.factories import make_price, make_trial
from tests.metrics.derived import make_latency, make_usage


def fill(pilot, candidates, *, people=6):
    """Every candidate is called on each of ten days by everybody; today's calls are fewer."""
    today = timezone.now().date()
    for candidate in candidates:
        make_trial(pilot, candidate)
        make_price(candidate)
        for ago in range(10):
            for person in range(1, people + 1):
                make_usage(
                    pilot,
                    candidate,
                    today - ago * DAY,
                    person=person,
                    calls=10,
                    rateable=8,
                    rated=2,
                    liked=1,
                    token_usd=1,
                    prompt_tokens=900,
                    completion_tokens=100,
                )
            make_latency(pilot, candidate, today - ago * DAY, first=[40] * 10, total=[45] * 10)
