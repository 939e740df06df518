from dataclasses import replace

import numpy as np
import pytest

from apps.core.intervals import Interval
from apps.metrics.findings import BETTER, EARLY, NOT_WORSE, NOTHING, TIE, WINNER, WORSE
from apps.metrics.judging import (
    Outcome,
    Pace,
    Pair,
    Terms,
    contrasts_of,
    missing,
    outcome_of,
    verdict_of,
)
from apps.metrics.standing import Group
from apps.metrics.stats.contrasts import Estimates

TERMS = Terms("daily", 0.3, rivals=1, looks=3, is_last=False)
LAST = replace(TERMS, is_last=True)
PACE = Pace({7: 100, 9: 100}, {7: 5.0, 9: 5.0})


def group(difference, error, people=25, ids=(7, 9)):
    """Two candidates that differ by so much, with the standard error of that."""
    variance = error**2 / 4
    return Group(
        ids,
        Estimates(
            np.array([difference / 2, -difference / 2]),
            np.array([[variance, -variance], [-variance, variance]]),
            np.array([people, people]),
        ),
        (None, None),
        (None, None),
    )


# With 25 people: t is 2.57 for a difference at one of three looks, 1.71 against the margin.
@pytest.mark.parametrize(
    ("difference", "error", "terms", "of_first", "of_second"),
    [
        (0.5, 0.19, TERMS, BETTER, WORSE),
        (0.5, 0.20, TERMS, EARLY, EARLY),
        (0.0, 0.17, TERMS, EARLY, EARLY),
        (0.0, 0.17, LAST, NOT_WORSE, NOT_WORSE),
        (0.0, 0.18, LAST, EARLY, EARLY),
        (0.2, 0.05, LAST, BETTER, NOT_WORSE),
        (0.5, 0.05, LAST, BETTER, WORSE),
        (0.3, 0.20, LAST, NOT_WORSE, EARLY),
    ],
)
def test_verdicts_hold_intervals_against_nothing_and_the_margin(
    difference, error, terms, of_first, of_second
):
    judged = [group(difference, error)]

    assert verdict_of(judged, 7, 9, terms) == of_first
    assert verdict_of(judged, 9, 7, terms) == of_second


@pytest.mark.parametrize("judged", [[], [group(5, 0.1, people=4)], [group(5, 0.1, ids=(7, 11))]])
def test_few_people_and_who_never_met_are_too_early(judged):
    assert verdict_of(judged, 7, 9, LAST) == EARLY


def test_a_pair_needs_five_people_who_met_each_of_the_two():
    """A team of 25, four of whom have met the second: it joined yesterday."""
    judged = [group(5, 0.1)]
    judged[0].estimates.clusters[1] = 4

    assert verdict_of(judged, 7, 9, LAST) == EARLY
    assert missing(judged[0], 0, 1, TERMS, PACE) == (None, None)

    judged[0].estimates.clusters[1] = 5
    assert verdict_of(judged, 7, 9, LAST) == BETTER


@pytest.mark.parametrize(("cast", "verdict", "more"), [(19, EARLY, 1), (20, BETTER, 0)])
def test_a_pair_needs_twenty_votes(cast, verdict, more):
    few = group(5, 0.1)
    votes = np.array([[0.0, cast], [cast, 0.0]])
    judged = [replace(few, estimates=replace(few.estimates, votes=votes))]

    assert verdict_of(judged, 7, 9, LAST) == verdict
    assert missing(judged[0], 0, 1, TERMS, PACE)[0] == more


def test_more_rivals_and_looks_make_verdicts_harder():
    judged = [group(0.5, 0.19)]

    assert verdict_of(judged, 7, 9, replace(TERMS, looks=1)) == BETTER
    assert verdict_of(judged, 7, 9, replace(TERMS, rivals=3)) == EARLY


@pytest.mark.parametrize(
    ("difference", "error", "active", "terms", "expected"),
    [
        (0.5, 0.1, (7, 9), TERMS, Outcome(WINNER, (7,))),
        (-0.5, 0.1, (7, 9), TERMS, Outcome(WINNER, (9,))),
        (0.1, 0.2, (7, 9), TERMS, Outcome(EARLY)),
        (0.1, 0.2, (7, 9), LAST, Outcome(EARLY)),
        (0.0, 0.1, (7, 9), LAST, Outcome(TIE, (7, 9))),
        (0.1, 0.02, (9, 7), LAST, Outcome(TIE, (7, 9))),
        (0.1, 0.02, (7, 9), TERMS, Outcome(WINNER, (7,))),
        (0.5, 0.1, (7,), LAST, Outcome(EARLY)),
        (0.5, 0.1, (7, 9, 11), LAST, Outcome(EARLY)),
    ],
)
def test_an_outcome_is_a_winner_a_tie_or_too_early(difference, error, active, terms, expected):
    judged = [group(difference, error)]

    assert outcome_of(judged, judged, active, terms) == expected


def test_without_evidence_there_is_nothing():
    assert outcome_of([], [], (7, 9), TERMS) == Outcome(NOTHING)


def test_before_a_look_it_is_too_early():
    assert outcome_of([group(5, 0.1)], [], (7, 9), TERMS) == Outcome(EARLY)


def test_a_pair_stands_there_from_both_sides():
    live = [group(0.4, 0.2)]

    first, second = contrasts_of(
        live, [], TERMS, PACE, {(7, 9): Pair(14, 30, 2), (9, 7): Pair(8, 30, 2)}
    )

    assert (first.first_id, first.second_id, second.first_id) == (7, 9, 9)
    assert first.difference == Interval(
        pytest.approx(-0.115, abs=0.001), 0.4, pytest.approx(0.915, abs=0.001)
    )
    assert second.difference.low == pytest.approx(-first.difference.high)
    assert (first.prefer_first, first.prefer_second) == (14, 8)
    assert (second.prefer_first, second.prefer_second) == (8, 14)
    assert first.more == second.more
    assert (first.votes, first.both_bad) == (second.votes, second.both_bad) == (30, 2)


def test_votes_differ_in_shares_of_wins():
    terms = replace(TERMS, measure="wins", margin=0.05)

    first, _ = contrasts_of([group(0.619, 0.1)], [], terms, PACE, {})

    assert first.difference.mid == pytest.approx(0.15, abs=0.001)
    assert terms.inner_margin == pytest.approx(0.2007, abs=1e-4)


def test_an_unknown_error_gives_no_interval_and_no_plan():
    (first, _) = contrasts_of([group(0.4, np.nan)], [], TERMS, PACE, {})

    assert (first.difference, first.more, first.more_days) == (None, None, None)


@pytest.mark.parametrize(
    ("difference", "error", "expected"),
    [
        # (2.574 + 0.842) * 0.3 / 0.5 = 2.05 errors too wide: 4.2 times the 200 answers.
        (0.5, 0.3, (640, 64)),
        # Nearer to be told within the margin than apart: (1.711 + 0.842) * 0.3 / 0.3.
        (0.0, 0.3, (1104, 111)),
        (0.5, 0.1, (0, 0)),
        (0.3, 3.0, (None, None)),
    ],
)
def test_what_is_missing_is_told_in_answers_and_working_days(difference, error, expected):
    assert missing(group(difference, error), 0, 1, TERMS, PACE) == expected


def test_without_a_pace_no_days_are_told():
    assert missing(group(0.5, 0.3), 0, 1, TERMS, Pace({7: 100, 9: 100}, {})) == (640, None)
    assert missing(group(0.5, 0.3), 0, 1, TERMS, Pace({}, {})) == (None, None)
