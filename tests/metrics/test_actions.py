from datetime import timedelta

import pytest

from apps.changes.models import DirtySlice, JobClaim
from apps.metrics.actions import CATCH_UP, mark_hosting_quarters
from apps.metrics.models import QuarterHosting
from apps.metrics.rebuild import rebuild_dirty
from apps.usage.ingest import store_records
from apps.usage.models import Call
from tests.factories import NOON, make_candidate, make_hosting, make_record

pytestmark = pytest.mark.django_db

QUARTER = timedelta(minutes=15)


def marked():
    return list(DirtySlice.objects.order_by("quarter").values_list("quarter", flat=True))


def built():
    rows = QuarterHosting.objects.order_by("quarter", "candidate_id")
    return list(rows.values_list("quarter", flat=True))


def test_a_quarter_hour_is_marked_as_it_begins_and_once():
    make_hosting(make_candidate(), started_at=NOON)

    counts = [mark_hosting_quarters(now=NOON + timedelta(seconds=s)) for s in (0, 1)]

    assert (counts, marked()) == ([1, 0], [NOON])
    assert JobClaim.objects.get().period == "2026-11-18T12:00:00+00:00"


def test_nothing_is_marked_where_nothing_runs():
    make_hosting(
        make_candidate(), ended_at=NOON - CATCH_UP - QUARTER, started_at=NOON - 2 * CATCH_UP
    )
    make_hosting(make_candidate(), started_at=NOON + QUARTER)
    make_hosting(make_candidate(), started_at=NOON + QUARTER, ended_at=NOON + 2 * QUARTER)

    assert (mark_hosting_quarters(now=NOON), marked()) == (0, [])


def test_what_was_missed_is_caught_up_even_if_newer_calls_came_first():
    candidate = make_candidate()
    make_hosting(candidate, started_at=NOON - timedelta(minutes=50))
    store_records([make_record(pilot_id=1, person_id=1, candidate_id=candidate.id, at=NOON)])
    rebuild_dirty(now=NOON)
    before = built()

    mark_hosting_quarters(now=NOON + timedelta(minutes=1))
    rebuild_dirty(now=NOON + timedelta(minutes=1))

    assert (before, built()) == ([NOON], [NOON - QUARTER * n for n in (4, 3, 2, 1, 0)])
    assert mark_hosting_quarters(now=NOON + QUARTER) == 1


def test_every_candidate_is_caught_up_by_itself():
    make_hosting(make_candidate(), started_at=NOON)
    mark_hosting_quarters(now=NOON)
    rebuild_dirty(now=NOON)
    make_hosting(make_candidate(), started_at=NOON, usd_per_hour=0)

    mark_hosting_quarters(now=NOON + QUARTER)
    rebuild_dirty(now=NOON + QUARTER)

    assert built() == [NOON, NOON, NOON + QUARTER, NOON + QUARTER]


def test_catching_up_ends_400_days_back():
    make_hosting(
        make_candidate(), started_at=NOON - 2 * CATCH_UP, ended_at=NOON - CATCH_UP + QUARTER
    )

    assert (mark_hosting_quarters(now=NOON), marked()) == (1, [NOON - CATCH_UP])


def test_slices_whose_calls_are_gone_are_not_marked_for_ever():
    candidate = make_candidate()
    long_ago = NOON - timedelta(days=60)
    old, new = (
        make_record(pilot_id=1, person_id=1, candidate_id=1, at=at) for at in (long_ago, NOON)
    )
    store_records([old, new])
    rebuild_dirty(now=NOON)
    Call.objects.filter(id=old.id).delete()
    make_hosting(candidate, started_at=long_ago, ended_at=long_ago + 2 * QUARTER)

    assert (mark_hosting_quarters(now=NOON), marked()) == (1, [long_ago + QUARTER])
