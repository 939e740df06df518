import pytest
import redis
from django.utils import timezone

from apps.usage import quiet
from apps.usage.ingest import drain
from apps.usage.quiet import DRAINED_KEY, seconds_since_drained, watch


class Clock:
    """Time that passes by sleeping; after `lasts` seconds the watching is stopped."""

    def __init__(self, lasts):
        self.now, self.lasts = 0.0, lasts

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        if self.now > self.lasts:
            raise TimeoutError


def ended_after(lasts):
    """When the watch ended its worker within so many seconds, or None."""
    clock, ends = Clock(lasts), []
    try:
        watch(end=lambda code: ends.append((clock.now, code)), sleep=clock.sleep, clock=clock)
    except TimeoutError:
        assert ends == []
        return None
    return ends


@pytest.mark.django_db
def test_every_drain_leaves_word(valkey):
    assert seconds_since_drained(valkey) is None

    drain(now=timezone.now())

    quiet_s = seconds_since_drained(valkey)
    assert quiet_s is not None
    assert 0 <= quiet_s < 5


def test_a_worker_whose_drains_run_is_left_alone(valkey):
    valkey.set(DRAINED_KEY, valkey.time()[0])

    assert ended_after(600) is None


def test_a_quiet_worker_is_ended_but_not_before_it_had_time_to_begin(valkey):
    valkey.set(DRAINED_KEY, valkey.time()[0] - 500)

    assert ended_after(600) == [(120.0, quiet.RESTART)]


def test_a_worker_that_never_drained_is_ended(valkey):
    assert ended_after(600) == [(120.0, quiet.RESTART)]


def test_a_broker_that_is_away_is_not_the_workers_fault(settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"

    with pytest.raises(redis.RedisError):
        redis.Redis.from_url(settings.REDIS_URL).ping()
    assert ended_after(600) is None
