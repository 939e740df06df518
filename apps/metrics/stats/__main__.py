"""`python -m apps.metrics.stats`: the simulations, printed. Needs no database and no settings.

Ends with 1 where something takes longer than it may.
"""

import sys

from apps.metrics.stats.printed import tables, timings


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


for line in tables():
    _say(line)
slow = False
for timing in timings():
    _say(str(timing))
    slow = slow or timing.is_slow
sys.exit(1 if slow else 0)
