"""Who is taken among those that are as good as the best: the cheapest, or the fastest."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from apps.metrics.queries import hosting_by_candidate, latency_by_candidate
from apps.metrics.queries import usage_by_candidate_and_task as usage_by_task
from apps.metrics.sums import HostingSums, LatencySums, UsageSums
from apps.pilots.models import Pilot, TieBreak
from apps.pilots.turns import ROLE_OF_TASK

_MIDDLE: Final = 0.5


def broken_tie(pilot: Pilot, role: str, tie_break: str, ids: Sequence[int]) -> int | None:
    """Return who is taken of some equals, the best of whom stands first.

    None where the baseline is: then what the team has already stays. Who is best is taken where
    nobody's cost, or nobody's speed, is known.
    """
    if tie_break == TieBreak.BASELINE:
        return None
    known = costs(pilot, role) if tie_break == TieBreak.CHEAPEST else first_content(pilot, role)
    told = [each for each in ids if each in known]
    # `min` keeps the first of equals: the better one.
    return min(told, key=lambda each: known[each]) if told else ids[0]


def costs(pilot: Pilot, role: str) -> Mapping[int, Decimal]:
    """Return USD a call of a role by candidate, with the idle machines that belong to it.

    Idle hours are shared among roles as busy ones are. Who has no call with a cost is left out.
    """
    tasks = _tasks(role)
    hosting = hosting_by_candidate(pilot.id, pilot.period)
    found = {}
    for candidate_id, by_task in usage_by_task(pilot.id, pilot.period).items():
        usage = sum((by_task[task] for task in tasks if task in by_task), UsageSums())
        every = sum(by_task.values(), UsageSums())
        if not usage.costed:
            continue
        cost = usage.token_usd + usage.hosting_usd
        idle = hosting.get(candidate_id, HostingSums()).idle_usd
        if every.hosting_usd:
            cost += idle * usage.hosting_usd / every.hosting_usd
        found[candidate_id] = cost / usage.costed
    return found


def first_content(pilot: Pilot, role: str) -> Mapping[int, int]:
    """Return the median ms to the first content of a role's calls by candidate."""
    sums: dict[int, LatencySums] = {}
    for task in _tasks(role):
        for candidate_id, found in latency_by_candidate(pilot.id, pilot.period, task=task).items():
            sums[candidate_id] = sums.get(candidate_id, LatencySums()) + found
    medians = {key: each.first_ms(_MIDDLE) for key, each in sums.items()}
    return {key: ms for key, ms in medians.items() if ms is not None}


def _tasks(role: str) -> list[str]:
    return [task for task, each in ROLE_OF_TASK.items() if each == role]
