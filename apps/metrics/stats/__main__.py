"""`python -m apps.metrics.stats`: the simulations, printed. Needs no database and no settings."""

import sys

from apps.metrics.stats.printed import tables

for line in tables():
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
