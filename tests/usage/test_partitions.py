from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.db import connection

from apps.usage.ingest import store_records
from apps.usage.models import Call
from apps.usage.partitions import is_in_reach, make_partitions, month_of, months_after
from tests.factories import NOON, make_record


def bounds():
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT part.relname, pg_get_expr(part.relpartbound, part.oid)
            FROM pg_inherits AS link
            JOIN pg_class AS part ON part.oid = link.inhrelid
            WHERE link.inhparent = 'usage_call'::regclass
            """
        )
        return dict(cursor.fetchall())


@pytest.mark.parametrize(
    ("month", "count", "later"),
    [
        (date(2026, 11, 1), 1, date(2026, 12, 1)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 1, 1), 25, date(2028, 2, 1)),
        (date(2026, 3, 1), 0, date(2026, 3, 1)),
    ],
)
def test_months_are_counted_on(month, count, later):
    assert months_after(month, count) == later


def test_a_month_is_one_of_utc():
    new_year_in_tokyo = datetime(2027, 1, 1, 3, tzinfo=timezone(timedelta(hours=9)))

    assert month_of(new_year_in_tokyo) == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("away", "reached"),
    [
        (timedelta(0), True),
        (timedelta(days=-400), True),
        (timedelta(days=-400, microseconds=-1), False),
        (timedelta(days=1), True),
        (timedelta(days=1, microseconds=1), False),
    ],
)
def test_calls_are_stored_within_400_days_back_and_a_day_ahead(away, reached):
    assert is_in_reach(NOON + away, now=NOON) is reached


@pytest.mark.django_db
def test_missing_months_are_made_and_made_once():
    months = [date(2031, 2, 1), date(2030, 12, 1), date(2031, 2, 1)]

    made = make_partitions(months)
    again = make_partitions(months)

    assert (made, again) == ([date(2030, 12, 1), date(2031, 2, 1)], [])
    assert bounds()["usage_call_2030_12"] == (
        "FOR VALUES FROM ('2030-12-01 00:00:00+00') TO ('2031-01-01 00:00:00+00')"
    )


@pytest.mark.django_db
def test_partitions_hold_calls_at_both_ends_of_their_month_with_the_tables_rules():
    first = datetime(2030, 3, 1, tzinfo=UTC)
    last = datetime(2030, 3, 31, 23, 59, 59, 999000, tzinfo=UTC)

    store_records(
        [make_record(pilot_id=1, person_id=1, candidate_id=1, at=at) for at in (first, last)]
    )

    assert list(Call.objects.order_by("admitted_at").values_list("admitted_at", flat=True)) == [
        first,
        last,
    ]
    assert set(bounds()) >= {"usage_call_2030_03"}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE contype = 'c'), count(*) FILTER (WHERE contype = 'p')
            FROM pg_constraint
            WHERE conrelid = 'usage_call_2030_03'::regclass
            """
        )
        assert cursor.fetchone() == (6, 1)
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'usage_call_2030_03'")
        assert cursor.fetchone() == (5,)
