from datetime import timedelta

import pytest
import redis
from django.core.cache import cache

from apps.feedback.pace import seconds_to_wait
from tests.factories import NOON

pytestmark = pytest.mark.usefixtures("valkey")


def test_so_many_a_minute_and_then_a_wait():
    late = NOON + timedelta(seconds=50)

    waits = [seconds_to_wait("a", now=late, most=2) for _ in range(3)]

    assert waits == [0, 0, 10]
    assert seconds_to_wait("b", now=late) == 0
    assert seconds_to_wait("a", now=NOON + timedelta(minutes=1), most=2) == 0


def test_without_the_cache_nobody_waits(monkeypatch):
    def refuse(*_, **__):
        raise redis.ConnectionError

    monkeypatch.setattr(type(cache._connections["default"]), "add", refuse)

    assert seconds_to_wait("a", now=NOON, most=0) == 0
