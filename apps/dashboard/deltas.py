"""How a figure differs from the one before, as pages write it: signed, and good or bad. Pure.

It is called good or bad only where the difference is more than chance or rounding makes.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.core.figures import points, signed
from apps.metrics.statistics import wilson

Number = int | float | Decimal
NOTICEABLE: Final = 0.10


@dataclass(frozen=True, slots=True)
class Delta:
    """`kind` is good, bad, or empty where the change is too small to be either."""

    text: str
    kind: str


def share_change(
    now: tuple[int, int], before: tuple[int, int], *, up_is_good: bool
) -> Delta | None:
    """Compare two shares, each (how many, of how many), in percentage points.

    None where one is missing; good or bad where their 95 % intervals do not overlap.
    """
    if not now[1] or not before[1]:
        return None
    new, old = wilson(*now), wilson(*before)
    kind = ""
    if new.low > old.high or new.high < old.low:
        kind = "good" if (new.mid > old.mid) is up_is_good else "bad"
    return Delta(points(new.mid - old.mid), kind)


def change(now: Number | None, before: Number | None, *, up_is_good: bool) -> Delta | None:
    """Compare two amounts, in percent of the earlier; None where one is missing or it is zero."""
    if now is None or not before:
        return None
    share = float(now) / float(before) - 1
    kind = ""
    if abs(share) >= NOTICEABLE:
        kind = "good" if (share > 0) is up_is_good else "bad"
    return Delta(f"{signed(share * 100)}%", kind)
