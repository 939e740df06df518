from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.template.loader import render_to_string

from apps.catalog.models import Price
from apps.core.intervals import Interval
from apps.digest.summary import CandidateLine, Total, weekly_summary
from apps.metrics.findings import Contrast
from apps.metrics.models import StoredFinding
from tests.digest.conftest import DAY, MONDAY, WEEK, make_trialled
from tests.factories import make_candidate, make_hosting, make_trial
from tests.metrics.test_quality import finding, place

MINUTE = timedelta(minutes=1)


def test_a_week_without_a_call_says_so(db):
    summary = weekly_summary(make_trialled().pilot, WEEK)

    assert summary.totals == [
        Total("Calls", "0", "±0"),
        Total("Active developers", "0", "±0"),
        Total("Spend", "$0", "±$0"),
    ]
    assert summary.candidates[0] == CandidateLine(
        "Fast 30B", 1, "no calls", "$0", "–", "", "no ratings", "", ""
    )
    assert summary.notes == []


def test_the_first_week_is_compared_with_nothing_and_says_how_short_it_was(db):
    world = make_trialled(starts_on=date(2026, 11, 18))

    summary = weekly_summary(world.pilot, WEEK)

    assert (summary.compares, [total.change for total in summary.totals]) == (False, ["", "", ""])
    assert summary.notes == ["The pilot ran on 5 days of this week."]


def test_a_pilot_that_began_and_closed_within_days_says_both(db):
    world = make_trialled(starts_on=date(2026, 11, 15), closed_at=MONDAY + timedelta(hours=3))

    summary = weekly_summary(world.pilot, WEEK)

    assert summary.notes == [
        "The pilot ran on 1 day of this week.",
        "The pilot ran on 1 day of the week before.",
    ]


def test_a_week_outside_of_the_pilot_says_so(db):
    summary = weekly_summary(make_trialled().pilot, date(2026, 9, 7))

    assert summary.notes == ["The pilot ran on 0 days of this week."]


def test_what_has_no_price_is_said_to_be_missing(db):
    world = make_trialled()
    Price.objects.filter(candidate=world.slow).delete()
    world.call(world.slow, at=MONDAY)
    world.rebuilt()

    summary = weekly_summary(world.pilot, WEEK)

    assert summary.candidates[1].spend == "no price"
    assert summary.notes == ["1 call without a price is missing from the spend."]


@pytest.mark.parametrize(
    ("named", "people", "total"),
    [
        (False, 4, Total("Active developers", "fewer than 5")),
        (False, 5, Total("Active developers", "5", "+5")),
        (True, 4, Total("Active developers", "4", "+4")),
    ],
)
def test_few_people_are_not_counted_out_loud_unless_the_pilot_names_them(db, named, people, total):
    world = make_trialled(people_named=named)
    for person in range(people):
        world.call(world.fast, at=MONDAY, person=person)
    world.rebuilt()

    assert weekly_summary(world.pilot, WEEK).totals[1] == total


FEW = "fewer than 5 people"


def called(*people, **fields):
    """A pilot that names nobody, in which so many people called the fast and the slow one."""
    world = make_trialled(people_named=False, **fields)
    for candidate, count in zip((world.fast, world.slow), people, strict=True):
        for person in range(count):
            world.call(candidate, at=MONDAY, person=person, rating=1)
    return world.rebuilt()


def test_a_candidate_of_few_people_has_no_figures_and_is_in_no_number_of_calls(db):
    summary = weekly_summary(called(6, 2).pilot, WEEK)

    assert summary.candidates[1] == CandidateLine("Slow 120B", 2, FEW, "–", "–", "", "–", "", "")
    assert summary.totals == [
        Total("Calls", "6", ""),
        Total("Active developers", "6", "+6"),
        # Money is the pilot's, and told whole.
        Total("Spend", "$0.019", "+$0.019"),
    ]
    assert summary.notes == [
        "Calls of candidates that fewer than 5 people called are in no number of calls."
    ]
    assert summary.headline == "6 calls, $0.019"


def test_few_people_in_all_have_only_what_they_cost(db):
    world = called(2, 1)
    world.call(world.slow, at=MONDAY - 7 * DAY)
    Price.objects.all().delete()
    world.call(world.fast, at=MONDAY)
    world.rebuilt()

    summary = weekly_summary(world.pilot, WEEK)

    assert {line.calls for line in summary.candidates} == {FEW}
    assert summary.totals[0] == Total("Calls", FEW, "")
    assert summary.headline == summary.totals[2].value
    assert summary.notes == ["Some calls without a price are missing from the spend."]


def test_candidates_of_few_people_who_are_enough_together_are_counted_together(db):
    world = make_trialled(people_named=False)
    for person in range(3):
        world.call(world.fast, at=MONDAY, person=person)
        world.call(world.slow, at=MONDAY, person=person + 3)
    world.rebuilt()

    summary = weekly_summary(world.pilot, WEEK)

    assert [line.calls for line in summary.candidates] == [FEW, FEW]
    assert summary.totals[0] == Total("Calls", "6", "+6")
    assert summary.notes == []


def test_ratings_of_few_people_are_not_told(db):
    world = make_trialled(people_named=False)
    for person in range(6):
        world.call(world.fast, at=MONDAY, person=person, rating=1 if person < 4 else None)
    world.rebuilt()

    line = weekly_summary(world.pilot, WEEK).candidates[0]

    assert (line.calls, line.liked, line.liked_detail) == ("6", "fewer than 5 raters", "")


def test_the_change_of_a_group_that_is_hidden_is_hidden_too(db):
    world = make_trialled(people_named=False)
    world.call(world.fast, at=MONDAY - 7 * DAY)
    for person in range(6):
        world.call(world.fast, at=MONDAY, person=person)
    world.rebuilt()

    assert weekly_summary(world.pilot, WEEK).totals[1] == Total("Active developers", "6", "")


def test_spend_includes_machines_that_stood_idle(db):
    world = make_trialled()
    hosted = make_candidate(name="Hosted", position=3)
    make_trial(world.pilot, hosted)
    make_hosting(hosted, usd_per_hour=4, started_at=MONDAY, ended_at=MONDAY + timedelta(hours=2))
    world.call(hosted, at=MONDAY)
    world.call(hosted, at=MONDAY + timedelta(hours=1, minutes=59))
    for quarter in range(8):
        world.call(world.fast, at=MONDAY + quarter * 15 * MINUTE)
    world.rebuilt()

    summary = weekly_summary(world.pilot, WEEK)

    assert summary.candidates[2].spend == "$8.00"
    # Eight calls of (1000 x 2 + 100 x 4) / 1,000,000 beside it.
    assert Decimal(8) + 8 * Decimal("0.0024") == Decimal("8.0192")
    assert summary.totals[2].value == "$8.02"


def test_the_week_is_the_pilots_and_not_the_sites(db):
    """In Auckland Monday the 16th begins on Sunday the 15th at 11:00 UTC."""
    world = make_trialled(zone="Pacific/Auckland")
    start = datetime(2026, 11, 15, 11, tzinfo=UTC)
    for at in (start - MINUTE, start, start + 7 * DAY - MINUTE, start + 7 * DAY):
        world.call(world.fast, at=at)
    world.rebuilt()

    assert weekly_summary(world.pilot, WEEK).totals[0] == Total("Calls", "2", "+1")


def test_the_week_of_a_clock_change_has_all_its_hours(db):
    world = make_trialled(zone="Europe/Berlin", starts_on=date(2026, 10, 1))
    # Monday 2026-10-19 00:00 in summer time to Monday 2026-10-26 00:00 in winter time.
    start, end = datetime(2026, 10, 18, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)
    for at in (start - MINUTE, start, end - MINUTE, end):
        world.call(world.fast, at=at)
    world.rebuilt()

    assert weekly_summary(world.pilot, date(2026, 10, 19)).totals[0] == Total("Calls", "2", "+1")


def test_candidates_dropped_before_the_week_are_left_out_unless_they_were_called(db):
    world = make_trialled()
    world.pilot.trials.update(dropped_at=MONDAY - DAY)
    late = make_candidate(name="Late", position=3)
    make_trial(world.pilot, late, added_at=MONDAY + 7 * DAY)
    world.call(world.slow, at=MONDAY)
    world.rebuilt()

    assert [line.name for line in weekly_summary(world.pilot, WEEK).candidates] == ["Slow 120B"]


@pytest.mark.parametrize("candidates", [1, 3])
def test_a_summary_asks_the_same_queries_for_any_number_of_candidates(
    db, candidates, django_assert_num_queries
):
    world = make_trialled()
    for position in range(3, 3 + candidates):
        extra = make_candidate(position=position)
        make_trial(world.pilot, extra)
        world.call(extra, at=MONDAY, rating=1)
    world.rebuilt()

    with django_assert_num_queries(9):
        weekly_summary(world.pilot, WEEK)


def test_what_was_found_out_stands_first(db):
    world = make_trialled()
    fast, slow = world.fast.id, world.slow.id
    found = finding(
        winner_id=fast,
        places=(place(fast, 4.0), place(slow, 3.2, rank=2, most=2)),
        contrasts=(Contrast(fast, slow, Interval(0.35, 0.8, 1.25), "better"),),
    )
    StoredFinding.objects.create(
        pilot_id=world.pilot.id,
        role="chat",
        measure="daily",
        computed_at=MONDAY,
        evidence="",
        result=found.to_json(),
    )

    summary = weekly_summary(world.pilot, WEEK)

    told = f"Chat: {world.fast.name} is better than {world.slow.name} by 0.8 (+0.4 to +1.3)."
    assert summary.quality == [told]
    assert told in render_to_string("digest/weekly.txt", {"summary": summary})
