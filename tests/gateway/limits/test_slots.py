import pytest

from apps.gateway.errors import Refusal
from apps.gateway.limits.slots import Slots


def test_slots_are_counted_per_key_and_process():
    slots = Slots(per_process=3)
    slots.take(1, 2)
    slots.take(1, 2)

    with pytest.raises(Refusal) as per_key:
        slots.take(1, 2)
    slots.take(2, 2)
    with pytest.raises(Refusal) as per_process:
        slots.take(3, 2)
    slots.give_back(1)
    with slots.taken(3, 2):
        assert slots.running == 3
    slots.take(1, 2)

    assert (per_key.value.status, per_process.value.status, slots.running) == (429, 503, 3)


def test_a_key_without_a_limit_may_fill_the_process():
    slots = Slots(per_process=100)

    for _ in range(100):
        slots.take(1, None)

    assert slots.running == 100
