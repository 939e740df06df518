import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from apps.core import uuid7
from apps.core.uuid7 import compose, instant_of, is_uuid7, new_uuid7


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(uuid7, "_last", (0, 0))


def test_an_id_carries_its_time_to_the_millisecond():
    value = new_uuid7(1_700_000_000_123)

    assert instant_of(value) == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)
    assert is_uuid7(value)
    assert value.variant == "specified in RFC 4122"


def test_ids_of_one_process_increase_even_when_the_clock_stands_or_goes_back():
    values = [new_uuid7(1_000) for _ in range(5_000)] + [new_uuid7(900)]

    assert values == sorted(values)
    assert len(set(values)) == 5_001
    assert (instant_of(values[4_095]).microsecond, instant_of(values[4_096]).microsecond) == (
        0,
        1_000,
    )


def test_the_clock_is_used_when_no_time_is_given():
    before = time.time_ns() // 1_000_000

    millis = new_uuid7().int >> 80

    assert before <= millis <= time.time_ns() // 1_000_000


def test_other_ids_are_told_apart():
    assert not is_uuid7(uuid4())
    assert compose(1, 2, 3) == UUID("00000000-0001-7002-8000-000000000003")
