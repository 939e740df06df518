"""Counts beside the estimates: who answered for whom, how often, how fast. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import permutations
from typing import Final

from apps.core.rotation import working_days_between
from apps.metrics.findings import Place
from apps.metrics.judging import Pace, Pair
from apps.metrics.standing import BOTH_BAD, DayRow, Group, VoteRow
from apps.metrics.stats.contrasts import ranks
from apps.metrics.stats.shrinkage import shrunken_mean

_RECENT: Final = timedelta(weeks=2)


@dataclass(slots=True)
class Tally:
    """One candidate's people, answers and developer-days; `total` sums values of days."""

    people: set[int] = field(default_factory=set)
    days: set[tuple[int, date]] = field(default_factory=set)
    count: float = 0.0
    total: float = 0.0


def tallies_of(days: Sequence[DayRow], votes: Sequence[VoteRow]) -> dict[int, Tally]:
    """Return what there is of each candidate; a vote counts for both."""
    found: dict[int, Tally] = defaultdict(Tally)
    for row in days:
        each = found[row.candidate_id]
        each.people.add(row.person_id)
        each.days.add((row.person_id, row.day))
        each.count += row.weight
        each.total += row.value * row.weight
    for vote in votes:
        for candidate_id in (vote.left_id, vote.right_id):
            each = found[candidate_id]
            each.people.add(vote.person_id)
            each.days.add((vote.person_id, vote.day))
            each.count += 1
    return found


def pace_of(days: Sequence[DayRow], votes: Sequence[VoteRow], today: date) -> Pace:
    """Return answers so far and a working day of the last two weeks; a vote is half for each."""
    every = [(row.day, row.candidate_id, row.weight) for row in days]
    every += [(row.day, each, 0.5) for row in votes for each in (row.left_id, row.right_id)]
    since = max(min((day for day, _, _ in every), default=today), today - _RECENT)
    # Today is not over: it counts only where there is nothing else.
    over = working_days_between(since, today)
    counts: dict[int, float] = defaultdict(float)
    recent: dict[int, float] = defaultdict(float)
    for day, candidate_id, weight in every:
        counts[candidate_id] += weight
        if since <= day and (day < today or not over):
            recent[candidate_id] += weight
    return Pace(
        {each: round(count) for each, count in counts.items()},
        {each: count / max(over, 1) for each, count in recent.items()},
    )


def pairs_of(days: Sequence[DayRow], votes: Sequence[VoteRow]) -> dict[tuple[int, int], Pair]:
    """Return what is counted of every two candidates that a person has met, from either side."""
    gains: dict[tuple[int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for person, means in _means(days).items():
        for one, other in permutations(means, 2):
            gains[one, other][person] += means[one] - means[other]
    cast, bad = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for vote in votes:
        for pair, sign in (((vote.left_id, vote.right_id), 1), ((vote.right_id, vote.left_id), -1)):
            gains[pair][vote.person_id] += sign * (2 * vote.points - 1)
            cast[pair] += 1
            bad[pair] += vote.outcome == BOTH_BAD
    return {
        pair: Pair(sum(gain > 0 for gain in by.values()), cast[pair], bad[pair])
        for pair, by in gains.items()
    }


def _means(days: Sequence[DayRow]) -> dict[int, dict[int, float]]:
    """Return each person's weighted mean with each candidate."""
    sums: dict[int, dict[int, tuple[float, float]]] = defaultdict(dict)
    for row in days:
        total, weight = sums[row.person_id].get(row.candidate_id, (0.0, 0.0))
        sums[row.person_id][row.candidate_id] = (
            total + row.value * row.weight,
            weight + row.weight,
        )
    return {
        person: {each: total / weight for each, (total, weight) in met.items() if weight}
        for person, met in sums.items()
    }


def places_of(
    groups: Sequence[Group],
    tallies: Mapping[int, Tally],
    others: Sequence[int],
    *,
    is_shrunken: bool,
) -> list[Place]:
    """Return the place of everybody who was met, then of `others`, of whom nothing is known.

    The set with most people ranks; other sets are not comparable with it yet. With `is_shrunken`
    the means of days are told as if more people had given the mean of all, too.
    """
    total = sum(each.total for each in tallies.values())
    count = sum(each.count for each in tallies.values())

    def shrunken(candidate_id: int) -> float | None:
        each = tallies[candidate_id]
        if not is_shrunken or not count:
            return None
        return shrunken_mean(each.total, round(each.count), prior_mean=total / count)

    def people(group: Group) -> int:
        return len(set().union(*(tallies[each].people for each in group.ids)))

    ordered = sorted(groups, key=lambda group: (-people(group), group.ids))
    places = []
    for number, group in enumerate(ordered):
        known = [each for each in group.own if each is not None]
        told: list[tuple[int | None, int | None]] = [(None, None)] * len(group.ids)
        if number == 0 and len(known) == len(group.ids):
            told = list(ranks([each.low for each in known], [each.high for each in known]))
        for place, candidate_id in enumerate(group.ids):
            tally = tallies[candidate_id]
            places.append(
                Place(
                    candidate_id,
                    group.own[place],
                    *told[place],
                    people=len(tally.people),
                    count=round(tally.count),
                    days=len(tally.days),
                    group=number,
                    shrunken=shrunken(candidate_id),
                    first_share=group.first_shares[place] if group.first_shares else None,
                    level=group.levels[place],
                )
            )
    nobody = (
        Place(each, None, None, None, 0, 0, 0, group=len(ordered) + place)
        for place, each in enumerate(others)
    )
    return [*places, *nobody]
