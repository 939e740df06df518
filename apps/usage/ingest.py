"""Call records become calls: stored once, costed, their quarter-hours marked, then acknowledged.

Read, insert, commit, and only then acknowledge: whatever dies in between, the records are read
again, and those that are stored already change nothing.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import orjson
import redis
from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)

from apps.changes.actions import mark_dirty
from apps.core.broker import connect_broker
from apps.gateway.contract import CallRecord
from apps.usage.costing import COSTED
from apps.usage.incoming import Unstorable, read_record
from apps.usage.models import DeadLetter
from apps.usage.partitions import make_partitions, month_of
from apps.usage.quiet import note_drained
from apps.usage.stream import TIMEOUT_S, CallStream, Entry

log = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 20.0

COLUMNS: Final = tuple(CallRecord.__dataclass_fields__)
_TEXTS: Final = tuple(
    name for name, field in CallRecord.__dataclass_fields__.items() if field.type == "str"
)
_NAMES: Final = ", ".join(COLUMNS)

# Made once in a connection. Emptied by hand too: a transaction may store more than once.
MAKE_ROOM: Final = """
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming_call (LIKE usage_call INCLUDING DEFAULTS)
    ON COMMIT DELETE ROWS
"""
CLEAR: Final = "DELETE FROM incoming_call"
COPY: Final = f"COPY incoming_call ({_NAMES}) FROM STDIN"
STORE: Final = f"""
    INSERT INTO usage_call ({_NAMES}, price_id, cost_usd)
    SELECT {", ".join(f"call.{name}" for name in COLUMNS)}, costed.price_id, costed.cost_usd
    FROM incoming_call AS call
    {COSTED}
    ON CONFLICT DO NOTHING
    RETURNING admitted_at
"""


def store_records(records: Sequence[CallRecord]) -> int:
    """Store records as calls, cost them and mark their slices; return how many were new.

    A record seen before changes nothing. All or none are stored: raises Django's database errors.
    """
    if not records:
        return 0
    make_partitions(month_of(record.admitted_at) for record in records)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MAKE_ROOM)
        cursor.execute(CLEAR)
        with connection.wrap_database_errors, cursor.copy(COPY) as copy:
            for record in records:
                copy.write_row(_row(record))
        cursor.execute(STORE)
        admitted = [at for (at,) in cursor.fetchall()]
        mark_dirty(admitted)
    return len(admitted)


def drain(*, now: datetime, seconds: float = DRAIN_SECONDS) -> int:
    """Store what waits in the stream, for about so many seconds; return how many calls were new.

    When Redis or the database is away, the rest stays in the stream for the next time.
    """
    ends_at = time.monotonic() + seconds
    stored = 0
    try:
        with _redis() as client:
            # First of all: a database that is away is no reason to end the worker.
            note_drained(client)
            stream = CallStream(client)
            for entries in stream.batches():
                stored += store_entries(entries, now=now)
                stream.acknowledge(entries)
                if time.monotonic() > ends_at:
                    break
    except redis.RedisError as problem:
        log.warning("the stream of calls cannot be read now: %s", problem)
    except (OperationalError, InterfaceError) as problem:
        log.warning("calls wait in the stream, the database is away: %s", _first_line(problem))
        connection.close_if_unusable_or_obsolete()
    return stored


def store_entries(entries: Sequence[Entry], *, now: datetime) -> int:
    """Store what can be stored and bury the rest; return how many calls were new."""
    readable = []
    for entry in entries:
        try:
            readable.append((entry, read_record(entry.raw, now=now)))
        except Unstorable as reason:
            bury(entry, reason=str(reason), now=now)
    return _store_or_split(readable, now=now)


def bury(entry: Entry, *, reason: str, now: datetime) -> None:
    """Keep an entry that can never become a call, whole, for administrators to see."""
    letter = DeadLetter(received_at=now, entry_id=entry.id, reason=reason, raw=entry.raw)
    if DeadLetter.objects.bulk_create([letter], ignore_conflicts=True):
        log.warning("the record %s cannot be stored: %s", entry.id, reason)


def _store_or_split(pairs: Sequence[tuple[Entry, CallRecord]], *, now: datetime) -> int:
    """Halve a batch that fails until what it fails on is alone. Other errors are not its fault."""
    try:
        return store_records([record for _, record in pairs])
    except (DataError, IntegrityError) as problem:
        if len(pairs) == 1:
            bury(pairs[0][0], reason=_first_line(problem), now=now)
            return 0
        middle = len(pairs) // 2
        return _store_or_split(pairs[:middle], now=now) + _store_or_split(pairs[middle:], now=now)


def _row(record: CallRecord) -> list[Any]:
    values = {name: getattr(record, name) for name in COLUMNS}
    # A text in PostgreSQL cannot hold a NUL; a provider that sends one must not cost us the call.
    for name in _TEXTS:
        values[name] = values[name].replace("\0", "\ufffd")
    attempts = [
        asdict(attempt) | {"error": str(attempt.error).replace("\0", "\ufffd")}
        for attempt in record.attempts
    ]
    values["attempts"] = orjson.dumps(attempts).decode()
    return list(values.values())


def _redis() -> "redis.Redis":
    return connect_broker(timeout_s=TIMEOUT_S)


def _first_line(problem: Exception) -> str:
    """What PostgreSQL says first; the lines after it repeat the row."""
    return str(problem).partition("\n")[0]
