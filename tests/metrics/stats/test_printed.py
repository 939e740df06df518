import subprocess
import sys

import pytest

from apps.metrics.stats.printed import SHEET, SPARSE, Timing, tables


def test_every_table_is_printed():
    lines = list(tables(pilots=20))

    assert [name for name in SHEET if not any(line.startswith(name) for line in lines)] == []
    assert [name for name in SPARSE if not any(line.startswith(name) for line in lines)] == []


@pytest.mark.parametrize(("seconds", "is_slow"), [(0.694, False), (3.0, False), (3.01, True)])
def test_a_time_is_told_beside_the_most_that_it_may_be(seconds, is_slow):
    timing = Timing("10,000 votes, 8 candidates, 1,000 rounds", seconds, 3)

    assert str(timing) == (f"10,000 votes, 8 candidates, 1,000 rounds: {seconds:.2f} s (at most 3)")
    assert timing.is_slow is is_slow


def test_tables_need_neither_settings_nor_database():
    command = "import sys; import apps.metrics.stats.printed; print('django' in sys.modules)"

    told = subprocess.run(
        [sys.executable, "-c", command], env={}, capture_output=True, text=True, check=True
    )

    assert told.stdout == "False\n"
