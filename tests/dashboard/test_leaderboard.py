import pytest

from apps.core.figures import MINUS
from apps.dashboard.leaderboard import (
    MOST_TIMES,
    WIDE,
    Row,
    Scale,
    Standing,
    leaderboard,
    ranks_of,
    ratings_to_narrow,
    ratings_to_separate,
    scale_of,
    standing,
    times,
)
from apps.metrics.quality import qualities
from apps.metrics.statistics import Interval, wilson
from apps.metrics.sums import Figures
from tests.dashboard.pieces import ALL, FIVE, candidate, figures, rated
from tests.metrics.test_quality import KNOWN, finding


def interval(low, high):
    return Interval(low, (low + high) / 2, high)


@pytest.mark.parametrize(
    ("intervals", "ranks"),
    [
        # Overlapping: one rank for both.
        ([(0.7, 0.9), (0.6, 0.8)], [1, 1]),
        # The second lies wholly below the first.
        ([(0.7, 0.9), (0.5, 0.6)], [1, 2]),
        # Touching is no distance.
        ([(0.7, 0.9), (0.5, 0.7)], [1, 1]),
        # A chain: the last is beaten by the first alone, so it is second.
        ([(0.8, 0.9), (0.65, 0.85), (0.5, 0.7)], [1, 1, 2]),
        # Two lie above it.
        ([(0.8, 0.9), (0.75, 0.85), (0.5, 0.7)], [1, 1, 3]),
        # Without ratings there is no rank, and nobody is ahead because of it.
        ([(0.8, 0.9), None, (0.5, 0.6)], [1, None, 2]),
        ([], []),
    ],
)
def test_rank_counts_those_that_are_better_beyond_doubt(intervals, ranks):
    known = {index: bounds and interval(*bounds) for index, bounds in enumerate(intervals)}

    assert list(ranks_of(known).values()) == ranks


def test_rows_stand_by_rank_then_share_and_those_without_ratings_last():
    candidates = [candidate(n) for n in range(1, 6)]
    known = {1: rated(30, 60), 2: rated(55, 60), 4: rated(54, 60), 5: Figures()}

    rows = leaderboard(candidates, known, reader=ALL)

    assert [(row.candidate.id, row.rank, row.leads_tier) for row in rows] == [
        (2, 1, True),
        (4, 1, False),
        (1, 3, True),
        (3, None, True),
        (5, None, True),
    ]


def test_a_row_compares_itself_with_the_period_before():
    now = figures(
        usage={"calls": 1000, "failed": 40, "rated": 50, "liked": 40, "token_usd": 20},
        first={1000: 100},
    )
    before = figures(
        usage={"calls": 1000, "failed": 10, "rated": 50, "liked": 38, "token_usd": 40},
        first={700: 100},
    )

    (row,) = leaderboard([candidate(1)], {1: now}, {1: before}, reader=ALL)

    # 4 points more liked is within chance, 3 points more errors is not.
    assert (row.liked_delta.text, row.liked_delta.kind) == ("+4 pts", "")
    assert (row.error_delta.text, row.error_delta.kind) == ("+3 pts", "bad")
    assert (row.call_cost_delta.text, row.call_cost_delta.kind) == (f"{MINUS}50%", "good")
    assert row.first_delta.kind == "bad"
    assert row.total_delta is None


def test_without_a_period_before_nothing_is_compared():
    (row,) = leaderboard([candidate(1)], {1: rated(5, 10)}, reader=ALL)

    assert row.liked_delta is row.error_delta is row.first_delta is row.call_cost_delta is None


@pytest.mark.parametrize(("liked", "n"), [(5, 10), (12, 30), (20, 50), (3, 4)])
def test_as_many_more_ratings_as_told_narrow_the_interval(liked, n):
    more = ratings_to_narrow(wilson(liked, n), n)

    after = wilson(round(liked / n * (n + more)), n + more)
    assert (after.high - after.low) / 2 == pytest.approx(WIDE, abs=0.013)


def test_a_narrow_interval_needs_no_more_and_none_at_all_needs_ninety_seven():
    assert ratings_to_narrow(wilson(150, 200), 200) == 0
    assert ratings_to_narrow(None, 0) == 97


def test_as_many_more_ratings_as_told_part_two_candidates():
    first, second = (40, 50), (35, 50)

    more = ratings_to_separate(first, second)

    each = 50 + more // 2
    assert wilson(round(each * 0.8), each).low > wilson(round(each * 0.7), each).high
    fewer = 50 + more // 4
    assert wilson(round(fewer * 0.8), fewer).low <= wilson(round(fewer * 0.7), fewer).high


@pytest.mark.parametrize(
    ("first", "second", "more"),
    [
        ((95, 100), (50, 100), 0),
        ((50, 100), (50, 100), None),  # no number parts equals
        ((501, 1000), (500, 1000), None),  # beyond any plan
        ((5, 5), (0, 0), None),
    ],
)
def test_there_may_be_nothing_more_to_ask_for(first, second, more):
    assert MOST_TIMES == 50
    assert ratings_to_separate(first, second) == more


def rows_of(*pairs):
    known = {n: rated(*pair) for n, pair in enumerate(pairs, 1)}
    return leaderboard([candidate(n) for n in known], known, reader=ALL)


SHARED = "Candidates whose intervals overlap share a rank."


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], Standing("Nobody has rated an answer yet, so there is no order.")),
        (
            [(5, 9)],
            Standing("Only one candidate has ratings, so there is nothing to compare it with."),
        ),
        (
            [(95, 100), (50, 100)],
            Standing("Model 1 is clearly ahead: its 95% interval lies above all others."),
        ),
        (
            [(50, 100), (50, 100)],
            Standing(f"{SHARED} More ratings alone would hardly tell the first two apart."),
        ),
    ],
)
def test_the_standing_says_who_is_ahead_or_why_nobody_is(pairs, expected):
    assert standing(rows_of(*pairs), elapsed_days=10, days_left=20) == expected


def test_the_standing_tells_how_long_it_would_take_at_this_pace():
    rows = rows_of((40, 50), (30, 50))
    missing = ratings_to_separate((40, 50), (30, 50))
    told = "would tell the first two apart at this difference."

    # A hundred ratings in ten days make ten a day.
    soon = standing(rows, elapsed_days=10, days_left=60)
    late = standing(rows, elapsed_days=10, days_left=2)
    over = standing(rows, elapsed_days=10, days_left=0)

    days = -(-missing // 10)
    assert soon == Standing(
        SHARED, f"About {missing} more ratings, {days} days at this pace, {told}"
    )
    assert late.lead == over.lead == f"About {missing} more ratings {told}"
    assert late.text == (
        f"{SHARED} At this pace the pilot's 2 days left are too few: a tie is an answer too."
    )
    assert over.text == SHARED


def of_people(callers, raters=0, **usage):
    """Figures of so many callers, of whom so many rated twice."""
    return figures(
        usage={
            "calls": 9 * callers,
            "failed": callers,
            "token_usd": callers,
            "rateable": 4 * callers,
            "rated": 2 * raters,
            "liked": raters,
            "people": frozenset(range(callers)),
            "callers": frozenset(range(callers)),
            "raters": frozenset(range(raters)),
        }
        | usage,
        first={400: 9 * callers},
    )


def test_a_candidate_of_few_people_has_a_row_without_figures_and_without_a_rank():
    known = {1: of_people(4, 4), 2: of_people(6, 5)}

    shown, few = leaderboard([candidate(1), candidate(2)], known, known, reader=FIVE)

    assert (shown.candidate.id, shown.rank, shown.people) == (2, 1, "6")
    assert (few.candidate.id, few.rank, few.people) == (1, None, "<5")
    assert few.figures == few.before == Figures(is_hidden=True)
    assert (few.first, few.total, few.liked) == (("–", "–"), ("–", "–"), None)
    assert few.error_delta is few.liked_delta is few.first_delta is few.call_cost_delta is None
    assert leaderboard([candidate(1)], {1: known[1]}, reader=ALL)[0].people == "4"


def test_a_candidate_of_few_raters_has_no_share_liked():
    (row,) = leaderboard([candidate(1)], {1: of_people(6, 4)}, reader=FIVE)

    assert (row.liked, row.liked_words, row.rank) == (None, "rated by too few to tell", None)
    assert (row.figures.usage.calls, row.figures.coverage) == (54, None)
    assert row.figures.cost_per_liked_usd is None


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (
            {1: of_people(4, 4), 2: of_people(0)},
            "Too few people have rated a candidate, so there is no order yet.",
        ),
        (
            {1: of_people(6, 6), 2: of_people(6, 4)},
            "Only one candidate has enough people who rated it, so there is nothing to compare it "
            "with.",
        ),
    ],
)
def test_the_standing_does_not_call_few_ratings_none(known, text):
    rows = leaderboard([candidate(1), candidate(2)], known, reader=FIVE)

    assert standing(rows, elapsed_days=10, days_left=20) == Standing(text)


@pytest.mark.parametrize(
    ("p50", "p95", "told"),
    [
        (420, 1300, ("0.42", "1.3 s")),
        (30_000, 125_000, ("30 s", "2 min 5 s")),
        (None, None, ("–", "–")),
    ],
)
def test_two_durations_say_their_unit_once(p50, p95, told):
    assert times(p50, p95) == told


def test_the_scale_holds_every_interval_and_the_share_of_all():
    rows = rows_of((40, 50), (30, 50))

    assert scale_of(rows) == Scale(0.4, 0.9, 0.7)
    assert scale_of([Row(candidate(1), Figures(), None, None, True, ALL)]) == Scale(0.0, 1.0, None)


def test_where_a_measure_was_agreed_on_likes_rank_nothing():
    known = {1: rated(45, 50), 2: rated(10, 50)}
    candidates = [candidate(1), candidate(2)]

    rows = leaderboard(candidates, known, reader=ALL, likes_rank=False)

    assert [(row.candidate.id, row.rank) for row in rows] == [(1, None), (2, None)]


def test_the_measure_of_a_role_ranks_alone():
    known = {1: rated(10, 50), 2: rated(45, 50), 3: rated(50, 50)}
    (chat,) = qualities([finding()], KNOWN, reader=ALL)

    rows = leaderboard([candidate(n) for n in known], known, reader=ALL, role=chat)

    assert [(row.candidate.id, row.rank) for row in rows] == [(1, 1), (2, 2), (3, None)]
    assert [row.quality and row.quality.mid for row in rows] == [4.0, 3.2, None]
