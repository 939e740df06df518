from datetime import timedelta

import pytest
import redis
from django.core.cache import cache

from apps.feedback import pace
from apps.feedback.pace import seconds_to_wait
from tests.factories import NOON

pytestmark = pytest.mark.usefixtures("valkey")


def test_so_many_a_minute_and_then_a_wait(monkeypatch):
    monkeypatch.setattr(pace, "PER_MINUTE", 2)
    late = NOON + timedelta(seconds=50)

    waits = [seconds_to_wait("a", now=late) for _ in range(3)]

    assert waits == [0, 0, 10]
    assert seconds_to_wait("b", now=late) == 0
    assert seconds_to_wait("a", now=NOON + timedelta(minutes=1)) == 0


def test_without_the_cache_nobody_waits(monkeypatch):
    def refuse(*_, **__):
        raise redis.ConnectionError

    monkeypatch.setattr(pace, "PER_MINUTE", 0)
    monkeypatch.setattr(type(cache._connections["default"]), "add", refuse)

    assert seconds_to_wait("a", now=NOON) == 0
