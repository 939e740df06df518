"""What was found out about a role, in words."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from apps.core.figures import MINUS
from apps.core.intervals import Interval
from apps.metrics.findings import Contrast, Finding, Place
from apps.metrics.quality import qualities
from apps.metrics.quality_words import contrast_between
from tests.dashboard.pieces import ALL, FIVE, candidate

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
KNOWN = {number: candidate(number) for number in (1, 2, 3)}


def place(number, mid, *, rank=1, most=1, people=12, group=0):
    estimate = None if mid is None else Interval(mid - 0.25, mid, mid + 0.25)
    return Place(number, estimate, rank, most, people, people * 7, people * 6, group)


def finding(**changes):
    return Finding(
        **{
            "role": "chat",
            "measure": "daily",
            "margin": 0.3,
            "computed_at": NOW,
            "state": "winner",
            "places": (place(2, 3.2, rank=2, most=2), place(1, 4.0)),
            "contrasts": (
                Contrast(1, 2, Interval(0.35, 0.8, 1.25), "better", prefer_first=9),
                Contrast(2, 1, Interval(-1.25, -0.8, -0.35), "worse", prefer_second=9),
            ),
            "winner_id": 1,
            "people": 12,
            "count": 168,
        }
        | changes
    )


def told(*findings, reader=ALL):
    return qualities(findings, KNOWN, reader=reader)


def test_a_winner_is_named_with_its_lead_and_stands_first():
    (chat,) = told(finding())

    assert chat.chip == ("Winner", "good")
    assert chat.headline == "Model 1 is better than Model 2 by 0.8 (+0.4 to +1.3)."
    assert chat.need == ""
    assert [(row.candidate.id, row.rank_range, row.value, row.bounds) for row in chat.rows] == [
        (1, "1", "4.0", "3.8–4.3"),
        (2, "2", "3.2", "3.0–3.5"),
    ]
    first, second = chat.rows
    assert (first.is_winner, first.against, second.is_winner) == (True, None, False)
    assert (second.against.word, second.against.gap) == ("worse", f"{MINUS}0.8")
    assert second.against.bounds == f"{MINUS}1.3 to {MINUS}0.4"
    assert (chat.scale, chat.margin) == ((2.5, 4.5), "0.3")


def test_a_tie_says_who_is_taken_and_why():
    contrast = Contrast(2, 1, Interval(-0.2, 0.02, 0.24), "not_worse")

    (chat,) = told(finding(state="tie", winner_id=2, contrasts=(contrast,)))

    assert chat.chip == ("Tie", "info")
    assert chat.headline == (
        "None of the best is worse by more than the margin of 0.3: a tie. "
        "By the tie-break set beforehand, Model 2 is taken."
    )
    assert chat.winner.candidate.id == 2


def test_what_is_too_early_says_what_it_takes():
    contrast = Contrast(1, 2, Interval(-0.1, 0.3, 0.7), "early", more=41, more_days=4)

    (chat,) = told(finding(state="early", winner_id=None, contrasts=(contrast,)))

    assert chat.headline == "The intervals do not tell the best apart yet."
    assert chat.need == "About 41 more answers, 4 working days at the present pace, would tell."
    one_day = replace(contrast, more=1, more_days=1)
    (chat,) = told(finding(state="early", winner_id=None, contrasts=(one_day,)))
    assert chat.need == "About 1 more answer, 1 working day at the present pace, would tell."


def test_more_than_is_left_is_said_to_be_that():
    contrast = Contrast(1, 2, Interval(-0.1, 0.3, 0.7), "early", more=410, more_days=52)
    early = finding(state="early", winner_id=None, contrasts=(contrast,))

    (chat,) = qualities([early], KNOWN, reader=ALL, days_left=5)

    assert chat.need == (
        "About 410 more answers would tell, 52 working days at the present pace: more than the 5 "
        "that are left. A tie is an answer, too."
    )


def test_a_verdict_waits_for_the_look_that_was_planned():
    contrast = Contrast(1, 2, Interval(0.2, 0.6, 1.0), "early", more=0)

    (chat,) = told(
        finding(
            state="early",
            winner_id=None,
            contrasts=(contrast,),
            judged_on=date(2026, 11, 14),
            next_look_on=date(2026, 11, 28),
            look=1,
        )
    )

    assert chat.need == "Enough was said: the look on 28 November will tell."
    assert chat.looks == (
        "Judged on 14 November, look 1 of 3, by the days before; the next look is on 28 November."
    )


def test_a_tie_may_keep_what_there_is_already():
    (chat,) = told(finding(state="tie", winner_id=None))

    assert chat.headline.endswith("By the tie-break set beforehand, what you have already is kept.")


def test_nothing_of_few_people_is_told():
    (chat,) = told(finding(people=4), reader=FIVE)

    assert (chat.is_hidden, chat.rows, chat.people) == (True, [], "<5 people")
    assert chat.chip == ("Too few people", "quiet")


@pytest.mark.parametrize(("people", "is_told"), [(4, False), (5, True)])
def test_nothing_of_a_candidate_that_few_answered_for_is_told(people, is_told):
    few = replace(place(2, 3.2, rank=2, most=2, people=people), shrunken=3.4, first_share=0.1)

    (chat,) = told(finding(places=(place(1, 4.0), few)), reader=FIVE)

    row = chat.rows[1]
    assert (row.value != "–", row.against is not None, row.beside != "") == (is_told,) * 3
    assert (row.rank_range, row.place.count, row.people) == (
        ("2", 35, "5") if is_told else ("–", 0, "<5")
    )
    assert ("Model 2" in chat.headline) == is_told


def test_a_winner_that_few_answered_for_is_not_told():
    (chat,) = told(finding(places=(place(1, 4.0, people=4), place(2, 3.2))), reader=FIVE)

    assert (chat.chip, chat.winner) == (("Too early", "quiet"), None)
    assert "Model 1 is" not in chat.headline


@pytest.mark.parametrize(("felt", "is_told"), [(4, False), (5, True)])
def test_a_difference_that_few_have_felt_is_not_told(felt, is_told):
    gap = Interval(0.35, 0.8, 1.25)
    contrasts = (
        Contrast(1, 2, gap, "better", prefer_first=felt),
        Contrast(2, 1, Interval(-1.25, -0.8, -0.35), "worse", prefer_second=felt),
    )

    (chat,) = told(finding(contrasts=contrasts), reader=FIVE)

    assert (chat.rows[1].against is not None) == is_told
    assert ("by 0.8" in chat.headline) == is_told


def test_shares_are_told_in_percent_and_points():
    acceptance = finding(
        role="completion",
        measure="acceptance",
        margin=0.03,
        places=(
            Place(1, Interval(0.28, 0.3, 0.32), 1, 1, 12, 9_000, 80),
            Place(2, Interval(0.23, 0.25, 0.27), 2, 2, 12, 8_000, 80),
        ),
        contrasts=(Contrast(1, 2, Interval(0.02, 0.05, 0.08), "better"),),
    )

    (completion,) = told(acceptance)

    assert completion.headline == "Model 1 is better than Model 2 by 5 pts (+2 pts to +8 pts)."
    assert [(row.value, row.bounds) for row in completion.rows] == [
        ("30%", "28–32"),
        ("25%", "23–27"),
    ]
    assert completion.margin == "3 pts"


def test_roles_stand_in_their_order_and_unknown_candidates_nowhere():
    chat, completion = told(
        finding(role="completion", measure="acceptance"),
        finding(places=(place(1, 4.0), place(9, 3.0, rank=2))),
    )

    assert (chat.role, completion.role) == ("Chat", "Completion")
    assert [row.candidate.id for row in chat.rows] == [1]


def test_groups_that_never_met_are_not_compared():
    (chat,) = told(
        finding(places=(place(1, 4.0), place(3, 3.5, rank=None, most=None, group=1)), contrasts=())
    )

    assert [row.is_comparable for row in chat.rows] == [True, False]
    assert [row.rank_range for row in chat.rows] == ["1", "–"]


def test_a_contrast_is_read_from_the_side_that_is_asked():
    stored = Contrast(1, 2, Interval(0.1, 0.5, 0.9), "better", prefer_first=6, prefer_second=2)
    other = Contrast(2, 1, Interval(-0.9, -0.5, -0.1), "worse", prefer_first=2, prefer_second=6)
    found = finding(contrasts=(stored, other))

    assert contrast_between(found, 1, 2) == stored
    assert contrast_between(found, 2, 1) == other
    assert contrast_between(found, 1, 3) is None
    assert told(found)[0].rows[1].against.preferred == "2 of 8 people lean to it"
