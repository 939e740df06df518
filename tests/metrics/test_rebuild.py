import threading
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from apps.changes.actions import mark_dirty
from apps.changes.models import DirtySlice
from apps.core.periods import Period
from apps.metrics.models import (
    DayHosting,
    DayLatency,
    DayUsage,
    Generation,
    QuarterHosting,
    QuarterLatency,
    QuarterUsage,
)
from apps.metrics.rebuild import (
    AT_ONCE,
    Rebuilt,
    rebuild_dirty,
    rebuild_period,
    rebuild_quarters,
)
from apps.usage.ingest import store_records
from apps.usage.models import Call
from tests.factories import NOON, make_candidate, make_hosting, make_record

QUARTER = timedelta(minutes=15)
LATER = NOON + timedelta(hours=3)
DERIVED = (QuarterUsage, QuarterLatency, QuarterHosting, DayUsage, DayLatency, DayHosting)


def call(**fields):
    return make_record(**{"pilot_id": 1, "person_id": 2, "candidate_id": 3} | fields)


def rows():
    """Everything derived, but for the ids of the rows."""
    return {
        model.__name__: sorted(
            tuple(sorted((k, v) for k, v in row.items() if k != "id"))
            for row in model.objects.values()
        )
        for model in DERIVED
    }


def counted():
    return QuarterUsage.objects.aggregate(n=Sum("calls"))["n"] or 0


@pytest.mark.django_db
def test_twice_is_once():
    candidate = make_candidate()
    make_hosting(candidate)
    store_records([call(candidate_id=candidate.id), call(task="edit"), call(pilot_id=4)])

    rebuild_dirty(now=LATER)
    once = rows()
    mark_dirty([NOON])
    rebuild_dirty(now=LATER)

    assert rows() == once
    assert {name: len(found) for name, found in once.items()} == {
        "QuarterUsage": 3,
        "QuarterLatency": 6,
        "QuarterHosting": 1,
        "DayUsage": 3,
        "DayLatency": 6,
        "DayHosting": 1,
    }


@pytest.mark.django_db
def test_marked_slices_are_rebuilt_and_their_markers_deleted():
    store_records([call(), call(at=NOON + QUARTER), call(at=NOON + timedelta(days=1))])

    done = rebuild_dirty(now=LATER)

    assert done == Rebuilt(quarters=3, days=2)
    assert (counted(), DirtySlice.objects.count()) == (3, 0)
    assert rebuild_dirty(now=LATER) == Rebuilt()


@pytest.mark.django_db
def test_more_markers_than_fit_at_once_are_rebuilt_newest_first():
    starts = [NOON + QUARTER * n for n in range(AT_ONCE + 1)]
    mark_dirty(starts)

    done = rebuild_dirty(now=LATER, seconds=0)

    assert done.quarters == AT_ONCE
    assert [marker.quarter for marker in DirtySlice.objects.all()] == [NOON]


@pytest.mark.django_db
def test_what_is_gone_from_a_slice_is_gone_from_its_rows():
    candidate = make_candidate()
    make_hosting(candidate)
    ours, theirs = call(candidate_id=candidate.id), call(pilot_id=5)
    store_records([ours, theirs])
    rebuild_dirty(now=LATER)

    Call.objects.filter(id=theirs.id).delete()
    rebuild_quarters([NOON], now=LATER)

    for model in (QuarterUsage, QuarterLatency, DayUsage, DayLatency):
        assert set(model.objects.values_list("pilot_id", flat=True)) == {1}


@pytest.mark.django_db
def test_every_pilot_that_gained_or_lost_rows_has_a_new_generation():
    gone, kept = call(pilot_id=5), call(pilot_id=6)
    store_records([gone, kept, call(pilot_id=7, at=NOON + QUARTER)])
    rebuild_dirty(now=LATER)
    Call.objects.filter(id=gone.id).delete()

    rebuild_quarters([NOON], now=LATER + QUARTER)

    generations = Generation.objects.order_by("pilot_id").values_list()
    assert list(generations) == [
        (5, 2, LATER + QUARTER),
        (6, 2, LATER + QUARTER),
        (7, 1, LATER),
    ]


@pytest.mark.django_db
def test_history_without_its_calls_is_left_alone(caplog):
    october = datetime(2026, 10, 31, 23, 45, tzinfo=UTC)
    first_of_november = datetime(2026, 11, 1, tzinfo=UTC)
    history = [call(at=october), call(at=first_of_november)]
    store_records([*history, call()])
    rebuild_dirty(now=LATER)
    Call.objects.filter(id__in=[record.id for record in history]).delete()
    mark_dirty([october, first_of_november])

    done = rebuild_dirty(now=LATER)

    # The oldest call is of November: that month's slices are what is kept of it.
    quarters = QuarterUsage.objects.order_by("quarter").values_list("quarter", flat=True)
    assert (done, list(quarters)) == (Rebuilt(1, 1, left_alone=1), [october, NOON])
    days = DayUsage.objects.order_by("day").values_list("day", flat=True)
    assert list(days) == [date(2026, 10, 31), date(2026, 11, 18)]
    assert DirtySlice.objects.count() == 0
    assert caplog.messages == ["1 quarter-hours are older than the calls kept; left alone"]


@pytest.mark.django_db
def test_history_is_left_alone_when_no_call_is_kept_at_all():
    store_records([call()])
    rebuild_dirty(now=LATER)
    before = rows()
    Call.objects.all().delete()

    done = rebuild_quarters([NOON], now=LATER)

    assert (done, rows()) == (Rebuilt(left_alone=1), before)


@pytest.mark.django_db
def test_idle_machines_before_the_first_call_cost_all_the_same():
    candidate = make_candidate()
    long_ago = NOON - timedelta(days=60)
    make_hosting(candidate, started_at=long_ago, ended_at=long_ago + QUARTER)
    store_records([call()])

    done = rebuild_quarters([long_ago], now=LATER)

    assert (done, QuarterHosting.objects.count()) == (Rebuilt(1, 1), 1)


@pytest.mark.django_db
def test_a_period_is_rebuilt_with_all_slices_it_touches():
    starts = [NOON + QUARTER * n for n in range(-2, 3)]
    store_records([call(at=start) for start in starts])

    done = rebuild_period(Period(NOON - QUARTER / 2, NOON + QUARTER), now=LATER)

    assert (done, counted()) == (Rebuilt(2, 1), 2)
    assert DirtySlice.objects.count() == 5


def in_another_connection(work):
    """Run it in a thread, which has a connection of its own; return the started thread."""

    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_until_somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        for _ in range(1_000):
            cursor.execute(
                """
                SELECT count(*)
                FROM pg_locks AS lock
                JOIN pg_stat_activity AS process USING (pid)
                WHERE NOT lock.granted AND process.datname = current_database()
                """
            )
            if cursor.fetchone() == (1,):
                return
            time.sleep(0.005)
    raise AssertionError("nobody waits")


@pytest.mark.django_db(transaction=True)
def test_a_call_that_comes_while_its_slice_is_rebuilt_is_not_lost():
    store_records([call()])
    with transaction.atomic(), connection.cursor() as cursor:
        # Holds the rebuild after it has read the calls, and before it deletes its markers.
        cursor.execute("LOCK TABLE metrics_generation IN EXCLUSIVE MODE")
        rebuild = in_another_connection(lambda: rebuild_dirty(now=LATER, seconds=0))
        wait_until_somebody_waits_for_a_lock()

        in_another_connection(lambda: store_records([call()])).join()
    rebuild.join()

    assert (counted(), DirtySlice.objects.count()) == (1, 1)
    rebuild_dirty(now=LATER)
    assert (counted(), DirtySlice.objects.count()) == (2, 0)


@pytest.mark.django_db(transaction=True)
def test_a_call_that_is_not_committed_yet_is_counted_after_it_is():
    store_records([call()])
    with transaction.atomic():
        store_records([call()])

        in_another_connection(lambda: rebuild_dirty(now=LATER)).join()

    assert (counted(), DirtySlice.objects.count()) == (1, 1)
    rebuild_dirty(now=LATER)
    assert (counted(), DirtySlice.objects.count()) == (2, 0)


@pytest.mark.django_db(transaction=True)
def test_a_second_rebuild_passes_over_markers_that_a_first_one_holds():
    store_records([call()])
    seen = []
    with transaction.atomic():
        rebuild_dirty(now=LATER)

        in_another_connection(lambda: seen.append(rebuild_dirty(now=LATER))).join()

    assert seen == [Rebuilt()]


@pytest.mark.django_db(transaction=True)
def test_two_rebuilds_of_a_slice_wait_for_each_other_and_the_later_sees_all():
    store_records([call()])
    with transaction.atomic():
        rebuild_dirty(now=LATER)
        store_records([call(), call()])
        other = in_another_connection(lambda: rebuild_quarters([NOON], now=LATER))
        wait_until_somebody_waits_for_a_lock()
    other.join()

    # It waited for this one's end, and then has read the calls that came with it.
    assert counted() == 3


@pytest.mark.django_db(transaction=True)
def test_drains_and_rebuilds_side_by_side_lose_nothing():
    stored = 0
    ends = threading.Event()

    def keep_rebuilding():
        while not ends.is_set():
            rebuild_dirty(now=LATER, seconds=0)

    rebuilders = [in_another_connection(keep_rebuilding) for _ in range(2)]
    for n in range(40):
        stored += store_records([call(at=NOON + QUARTER * (n % 3), person_id=n % 5)])
    ends.set()
    for rebuilder in rebuilders:
        rebuilder.join()
    rebuild_dirty(now=LATER)

    by_day = DayUsage.objects.aggregate(n=Sum("calls"))["n"]
    assert (stored, counted(), by_day, DirtySlice.objects.count()) == (40, 40, 40, 0)
