"""A short set test: kill -9 of every process once under light load."""

import logging
import sys

import pytest

from tests.chaos.rounds import KILLS, Plan, SetTest

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc"),
]

log = logging.getLogger(__name__)


async def test_no_call_is_lost_or_counted_twice_whatever_is_killed():
    test = SetTest(Plan(rounds=1, clients=8, keys=10, seed=5), log.info)

    total = await test.run()

    assert total.faults() == []
    assert (total.is_good, test.dead_letters, test.kills) == (True, 0, KILLS)
    assert test.counted == test.cost
    assert total.rows == total.ok + total.recovered
    assert total.finished > 50
