from datetime import date

import pytest

from apps.metrics.standing import (
    DayRow,
    VoteRow,
    log_odds_of,
    share_of,
    standing_of_days,
    standing_of_votes,
)

DAY = date(2026, 11, 2)


def days(*rows):
    return [DayRow(person, DAY, candidate, value) for person, candidate, value in rows]


def votes(*rows):
    return [VoteRow(person, DAY, *row) for person, *row in rows]


def test_days_stand_in_their_own_unit_and_within_its_limits():
    rows = days((1, 7, 5), (1, 7, 5), (1, 9, 3), (2, 7, 5), (2, 9, 4), (2, 9, 3))

    (group,) = standing_of_days(rows, limits=(1, 5))

    assert group.ids == (7, 9)
    assert group.best_id == 7
    best, worst = group.own
    effects = group.estimates.effects
    assert effects[0] - effects[1] == pytest.approx(1.75)
    assert best.mid == best.high == 5
    assert worst.low < worst.mid < worst.high
    assert group.first_shares is None


def test_days_of_no_weight_are_none():
    rows = [DayRow(1, DAY, 7, 0.5, 10), DayRow(1, DAY, 9, 0.0, 0)]

    (group,) = standing_of_days(rows, limits=(0, 1))

    assert group.ids == (7,)


def test_candidates_whom_no_person_links_are_sets_of_their_own():
    rows = days((1, 7, 5), (1, 9, 3), (2, 11, 5), (2, 13, 4), (3, 15, 1))

    groups = standing_of_days(rows, limits=(1, 5))

    assert [group.ids for group in groups] == [(7, 9), (11, 13), (15,)]


def test_a_lone_candidate_has_a_level_and_no_rival():
    (group,) = standing_of_days(
        days((1, 7, 3), (2, 7, 4), (3, 7, 5)), limits=(1, 5), is_resampled=True
    )

    assert group.own == group.levels
    assert group.own[0].mid == 4
    assert (group.first_shares, group.hangs_on_one) == (None, None)


def test_one_person_has_no_interval():
    (group,) = standing_of_days(days((1, 7, 3), (1, 9, 4)), limits=(1, 5))

    assert group.own == group.levels == (None, None)


def test_resampling_tells_how_often_each_comes_first_and_whom_it_hangs_on():
    rows = days(
        *((person, 7, 4) for person in range(4)),
        *((person, 9, 3.9) for person in range(4)),
        (4, 7, 1),
        (4, 9, 1.5),
    )

    (group,) = standing_of_days(rows, limits=(1, 5), is_resampled=True)

    assert group.best_id == 9
    assert group.hangs_on_one is True
    assert sum(group.first_shares) == pytest.approx(1)
    assert 0.2 < group.first_shares[0] < 0.5


def test_votes_stand_as_shares_against_an_average_rival():
    rows = votes(
        *((person, 7, 9, "left") for person in range(6)),
        *((person, 9, 7, "left") for person in range(3)),
        *((person, 9, 7, "right") for person in range(3)),
        (0, 7, 9, "tie"),
        (1, 9, 7, "both_bad"),
    )

    (group,) = standing_of_votes(rows, is_resampled=True)

    best, worst = group.own
    assert best.mid + worst.mid == pytest.approx(1)
    assert best.mid > 0.6
    assert best.low == pytest.approx(1 - worst.high)
    assert sum(group.first_shares) == pytest.approx(1)


def test_no_evidence_is_no_standing():
    assert standing_of_days([], limits=(1, 5)) == []
    assert standing_of_votes([]) == []


@pytest.mark.parametrize("share", [0.05, 0.5, 0.65])
def test_shares_and_log_odds_are_the_same(share):
    assert share_of(log_odds_of(share)) == pytest.approx(share)
