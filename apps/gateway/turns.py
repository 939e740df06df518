"""Whose turn it is behind a blind alias. Worked out once for each person and working day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from apps.core.rotation import Era, order_of, working_day
from apps.gateway.contract import RotationRoute

# 04:00 of every zone there is falls on a quarter of an hour of UTC.
QUARTER_SECONDS: Final = 900


def day_in(zone: str, now: datetime) -> date:
    """Return the working day of a zone."""
    return _day_of_quarter(zone, int(now.timestamp() // QUARTER_SECONDS))


@lru_cache(maxsize=256)
def _day_of_quarter(zone: str, quarter: int) -> date:
    return working_day(datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC), ZoneInfo(zone))


def turns(rotation: RotationRoute, person_id: int, day: date) -> tuple[int | None, tuple[int, ...]]:
    """Return whom the day has assigned, and all candidates in the order in which they are asked.

    None, and nobody, where the rotation has not begun or has nobody. Of those that are left out
    nobody is asked.
    """
    assigned, order = _turns(rotation, person_id, day)
    if not rotation.left_out:
        return assigned, order
    return assigned, tuple(one for one in order if one not in rotation.left_out)


def _turns(
    rotation: RotationRoute, person_id: int, day: date
) -> tuple[int | None, tuple[int, ...]]:
    order = _order(rotation.eras, rotation.seed, person_id, day)
    if not order:
        return None, ()
    assigned = order[0]
    chosen = rotation.swaps.get(f"{person_id}:{day}") if rotation.swaps else None
    if chosen is None or chosen == assigned:
        return assigned, order
    # Whoever was sent away comes last.
    return assigned, (chosen, *[one for one in order[1:] if one != chosen], assigned)


@lru_cache(maxsize=4096)
def _order(eras: tuple[Era, ...], seed: str, person_id: int, day: date) -> tuple[int, ...]:
    return order_of(eras, seed=seed, person_id=person_id, day=day)
