from datetime import date, timedelta

import numpy as np
import pytest

from apps.core.intervals import Interval
from apps.metrics.judging import Pace, Pair
from apps.metrics.standing import DayRow, Group, VoteRow
from apps.metrics.stats.contrasts import Estimates
from apps.metrics.tallies import pace_of, pairs_of, places_of, tallies_of

MONDAY = date(2026, 11, 16)


def row(person, candidate, value, day=MONDAY, weight=1.0):
    return DayRow(person, day, candidate, value, weight)


def test_a_tally_counts_people_days_and_answers():
    days = [row(1, 7, 4), row(1, 7, 2, MONDAY + timedelta(days=1)), row(2, 7, 5), row(2, 9, 1)]
    votes = [VoteRow(3, MONDAY, 7, 9, "left")]

    found = tallies_of(days, votes)

    seven, nine = found[7], found[9]
    assert (seven.people, len(seven.days), seven.count, seven.total) == ({1, 2, 3}, 4, 4, 11)
    assert (nine.people, len(nine.days), nine.count, nine.total) == ({2, 3}, 2, 2, 1)


def test_pace_is_that_of_the_last_two_weeks_without_today():
    long_ago = MONDAY - timedelta(weeks=6)
    days = [row(1, 7, 4, long_ago), row(1, 7, 4, MONDAY)]
    days += [row(1, 7, 4, MONDAY - timedelta(days=n)) for n in (3, 4, 5, 6, 7)]

    assert pace_of(days, [], MONDAY) == Pace({7: 7}, {7: 0.5})


def test_on_the_first_day_today_is_the_pace():
    assert pace_of([row(1, 7, 4, weight=20.0)], [], MONDAY) == Pace({7: 20}, {7: 20.0})
    assert pace_of([], [], MONDAY) == Pace({}, {})


def test_a_vote_is_half_for_each_so_that_a_pair_adds_up():
    votes = [VoteRow(1, MONDAY, 7, 9, "left"), VoteRow(1, MONDAY, 9, 7, "tie")]

    assert pace_of([], votes, MONDAY) == Pace({7: 1, 9: 1}, {7: 1.0, 9: 1.0})


def test_preferences_count_people_by_whom_they_do_better_with():
    days = [
        *(row(1, 7, value) for value in (4, 5)),
        row(1, 9, 3),
        row(2, 7, 2),
        row(2, 9, 4),
        row(3, 7, 3),
        row(3, 9, 3),
        row(4, 7, 5),
    ]

    assert pairs_of(days, []) == {(7, 9): Pair(1), (9, 7): Pair(1)}


def test_pairs_of_votes_are_by_each_raters_points():
    votes = [
        VoteRow(1, MONDAY, 7, 9, "left"),
        VoteRow(1, MONDAY, 9, 7, "left"),
        VoteRow(1, MONDAY, 9, 7, "right"),
        VoteRow(2, MONDAY, 7, 9, "both_bad"),
    ]

    assert pairs_of([], votes) == {(7, 9): Pair(1, 4, 1), (9, 7): Pair(0, 4, 1)}


def group(ids, intervals):
    count = len(ids)
    estimates = Estimates(np.zeros(count), np.eye(count), np.full(count, 9))
    known = tuple(Interval(*each) if each else None for each in intervals)
    return Group(ids, estimates, known, known)


def test_only_the_set_with_most_people_ranks():
    tallies = tallies_of(
        [row(1, 7, 4), row(2, 7, 4), row(1, 9, 2), row(3, 11, 5), row(3, 13, 5)], []
    )
    groups = [
        group((11, 13), [(4, 5, 5), (4, 5, 5)]),
        group((7, 9), [(3.5, 4, 4.5), (1.5, 2, 2.5)]),
    ]

    found = places_of(groups, tallies, [15], is_shrunken=True)

    assert [(each.candidate_id, each.rank, each.rank_most, each.group) for each in found] == [
        (7, 1, 1, 0),
        (9, 2, 2, 0),
        (11, None, None, 1),
        (13, None, None, 1),
        (15, None, None, 2),
    ]
    assert found[0].shrunken == pytest.approx((10 * 4 + 8) / 12)
    assert found[4].shrunken is None


def test_nobody_ranks_while_an_interval_is_unknown():
    tallies = tallies_of([row(1, 7, 4), row(1, 9, 2)], [])

    found = places_of([group((7, 9), [None, None])], tallies, [], is_shrunken=False)

    assert [(each.rank, each.estimate, each.shrunken) for each in found] == [(None, None, None)] * 2
