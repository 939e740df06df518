"""Monthly partitions of the calls, made on need. Months are of UTC.

There is no default partition, so a call needs the partition of its month before it can be stored.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from psycopg import sql

BACK: Final = timedelta(days=400)
AHEAD: Final = timedelta(days=1)
# Any number that no other advisory lock of ours uses: makers of partitions wait for each other.
_LOCK: Final = 7_001

# Attaching, unlike creating a partition in place, lets readers and writers of the table go on.
_CREATE: Final = "CREATE TABLE {partition} (LIKE usage_call INCLUDING ALL)"
_ATTACH: Final = "ALTER TABLE usage_call ATTACH PARTITION {partition} FOR VALUES FROM ({}) TO ({})"


def is_in_reach(at: datetime, *, now: datetime) -> bool:
    """Whether a call of that time is stored: a clock gone wrong must not make a partition."""
    return now - BACK <= at <= now + AHEAD


def month_of(at: datetime) -> date:
    """Return the first day of the month that holds an instant."""
    return at.astimezone(UTC).date().replace(day=1)


def months_after(month: date, count: int) -> date:
    """Return the first day of a later month."""
    years, index = divmod(month.month - 1 + count, 12)
    return date(month.year + years, index + 1, 1)


def partition_name(month: date) -> str:
    return f"usage_call_{month:%Y_%m}"


@transaction.atomic
def make_partitions(months: Iterable[date]) -> list[date]:
    """Make the partitions that are missing; return their months."""
    wanted = {partition_name(month): month for month in sorted(set(months))}
    with connection.cursor() as cursor:
        missing = _missing(list(wanted))
        if not missing:
            return []
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        missing = _missing(list(wanted))
        for name in missing:
            partition = sql.Identifier(name)
            first, after = wanted[name], months_after(wanted[name], 1)
            bounds = [sql.Literal(f"{day} 00:00:00+00") for day in (first, after)]
            cursor.execute(sql.SQL(_CREATE).format(partition=partition))
            cursor.execute(sql.SQL(_ATTACH).format(*bounds, partition=partition))
    return [wanted[name] for name in missing]


def _missing(names: list[str]) -> list[str]:
    """Ask the catalog's table: to_regclass may answer from a cache that is older than our lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT name
            FROM unnest(%s::text[]) AS name
            WHERE NOT EXISTS (
                SELECT FROM pg_class
                WHERE relname = name AND relnamespace = current_schema()::regnamespace
            )
            ORDER BY name
            """,
            [names],
        )
        return [name for (name,) in cursor.fetchall()]
