import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import DataError, IntegrityError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.changes.models import DirtySlice
from apps.gateway.contract import STREAM, STREAM_GROUP, Attempt
from apps.usage.ingest import drain, store_entries, store_records
from apps.usage.models import Call, DeadLetter
from apps.usage.stream import BATCH, CallStream
from tests.factories import NOON, make_candidate, make_price, make_record

NOT_OURS = {"stored_at", "price_id", "cost_usd"}


def record(**fields):
    return make_record(**{"pilot_id": 1, "person_id": 2, "candidate_id": 3} | fields)


def ship(valkey, *raws):
    return [valkey.xadd(STREAM, {"r": raw}).decode() for raw in raws]


def left(valkey):
    """Entries in the stream, and those held by a reader."""
    return valkey.xlen(STREAM), valkey.xpending(STREAM, STREAM_GROUP)["pending"]


@pytest.mark.django_db
def test_every_field_of_a_record_is_kept():
    full = record(
        session="s1",
        overhead_us=312,
        attempts=(Attempt(3, 0, 90, 503, "overloaded"), Attempt(3, 91, 2250, 200)),
        request_bytes=4_000,
        response_bytes=16_000,
        client_request_id="theirs",
        upstream_request_id="provider's",
        client="openai-python",
        client_retry=1,
        tool_calls=2,
    )

    new = store_records([full])

    kept = Call.objects.values().get()
    assert new == 1
    assert {name: value for name, value in kept.items() if name not in NOT_OURS} == asdict(full) | {
        "id": UUID(full.id),
        "attempts": [asdict(attempt) for attempt in full.attempts],
    }


@pytest.mark.django_db
def test_what_was_seen_before_changes_nothing_and_marks_nothing():
    candidate = make_candidate()
    make_price(candidate)
    first = record(candidate_id=candidate.id)
    second = record(candidate_id=candidate.id, at=NOON + timedelta(minutes=20))

    counts = [store_records([first]), store_records([first, second, second]), store_records([])]

    assert counts == [1, 1, 0]
    assert Call.objects.count() == 2
    quarters = DirtySlice.objects.order_by("id").values_list("quarter", flat=True)
    assert list(quarters) == [NOON, NOON + timedelta(minutes=15)]


@pytest.mark.django_db
def test_all_or_none_are_stored():
    bad = record(prompt_tokens=5, cached_tokens=6)

    with pytest.raises(IntegrityError, match="call_tokens_are_not_negative"):
        store_records([record(), bad])

    assert (Call.objects.count(), DirtySlice.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_numbers_that_fit_no_column_are_the_records_fault():
    with pytest.raises(DataError, match="out of range"):
        store_records([record(total_ms=2**31)])


@pytest.mark.django_db
def test_a_nul_in_a_text_does_not_cost_the_call():
    store_records([record(error="a\0b", attempts=(Attempt(3, 0, 1, None, "c\0d"),))])

    call = Call.objects.get()
    assert (call.error, call.attempts[0]["error"]) == ("a\ufffdb", "c\ufffdd")


POOL = [record(at=NOON + timedelta(minutes=minute)) for minute in range(0, 60, 5)]
BATCHES = st.lists(st.lists(st.sampled_from(POOL), max_size=8), max_size=6)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(BATCHES)
@pytest.mark.django_db
def test_however_records_are_repeated_each_is_one_call(batches):
    Call.objects.all().delete()
    offered = {one.id for batch in batches for one in batch}

    new = sum(store_records(batch) for batch in batches)

    assert new == len(offered)
    assert {str(call_id) for call_id in Call.objects.values_list("id", flat=True)} == offered


@pytest.mark.django_db
def test_drain_stores_in_batches_and_empties_the_stream(valkey):
    ship(valkey, *(record().to_json() for _ in range(BATCH + 1)))

    new = drain(now=NOON)

    assert (new, Call.objects.count()) == (BATCH + 1, BATCH + 1)
    assert left(valkey) == (0, 0)


@pytest.mark.django_db
def test_drain_ends_after_its_time_and_leaves_the_rest(valkey):
    ship(valkey, *(record().to_json() for _ in range(BATCH + 1)))

    counts = [drain(now=NOON, seconds=0), left(valkey), drain(now=NOON, seconds=0), left(valkey)]

    assert counts == [BATCH, (1, 0), 1, (0, 0)]


@pytest.mark.django_db
def test_poison_is_buried_alone_with_its_reason(valkey):
    good = [record() for _ in range(11)]
    other_version = record().to_json().replace(b'"v":2', b'"v":9')
    late = record(at=NOON - timedelta(days=401)).to_json()
    poison = {
        3: record(prompt_tokens=5, cached_tokens=6).to_json(),
        6: record(total_ms=2**31).to_json(),
        8: b"{",
        9: other_version,
        10: late,
    }
    raws = [poison.get(index, one.to_json()) for index, one in enumerate(good)]
    ids = ship(valkey, *raws)

    new = drain(now=NOON)

    letters = DeadLetter.objects.order_by("entry_id").values_list("entry_id", "reason", "raw")
    buried = {entry_id: (reason, bytes(raw)) for entry_id, reason, raw in letters}
    assert (new, left(valkey)) == (6, (0, 0))
    assert {entry_id: raw for entry_id, (_, raw) in buried.items()} == {
        ids[index]: raw for index, raw in poison.items()
    }
    reasons = [buried[ids[index]][0] for index in sorted(poison)]
    assert reasons[0].endswith('violates check constraint "call_tokens_are_not_negative"')
    assert reasons[1] == 'value "2147483648" is out of range for type integer'
    assert reasons[2].startswith("unreadable: JSONDecodeError")
    assert reasons[3] == "call record version 9"
    assert reasons[4].startswith("admitted at 2025-10-13 12:00, which is not within 400 days back")


@pytest.mark.django_db
def test_an_entry_without_a_record_is_buried(valkey):
    valkey.xadd(STREAM, {"other": "field"})

    drain(now=NOON)

    letter = DeadLetter.objects.get()
    assert (letter.reason[:10], bytes(letter.raw), left(valkey)) == ("unreadable", b"", (0, 0))


@pytest.mark.django_db
def test_a_crash_between_commit_and_acknowledgement_changes_nothing(valkey):
    poison = b"{"
    ship(valkey, record().to_json(), poison, record().to_json())
    entries = next(CallStream(valkey).batches())
    store_entries(entries, now=NOON)
    before = left(valkey)

    new = drain(now=NOON)

    assert (before, new, left(valkey)) == ((3, 3), 0, (0, 0))
    assert (Call.objects.count(), DeadLetter.objects.count()) == (2, 1)


@pytest.mark.django_db
def test_what_a_dead_reader_held_is_taken_over_once_it_is_stale(valkey):
    ids = ship(valkey, record().to_json(), record().to_json())
    assert len(next(CallStream(valkey, "dead").batches())) == 2
    valkey.xclaim(STREAM, STREAM_GROUP, "dead", 0, ids[:1], idle=60_000)

    new = drain(now=NOON)

    assert (new, left(valkey)) == (1, (1, 1))
    valkey.xclaim(STREAM, STREAM_GROUP, "dead", 0, ids[1:], idle=60_000)
    assert (drain(now=NOON), left(valkey)) == (1, (0, 0))


@pytest.mark.django_db
def test_an_entry_that_another_reader_stored_meanwhile_is_let_go(valkey):
    (entry_id,) = ship(valkey, record().to_json())
    next(CallStream(valkey).batches())
    valkey.xdel(STREAM, entry_id)

    assert (drain(now=NOON), left(valkey)) == (0, (0, 0))


@pytest.mark.django_db
def test_a_redis_that_lost_everything_gets_its_group_again(valkey):
    ship(valkey, record().to_json())
    drain(now=NOON)
    valkey.flushdb()
    on_its_own = drain(now=NOON)
    valkey.delete(STREAM)
    ship(valkey, record().to_json())

    assert (on_its_own, drain(now=NOON), left(valkey)) == (0, 1, (0, 0))


@pytest.mark.django_db
def test_a_redis_that_is_away_is_a_line_in_the_log(settings, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"

    new = drain(now=NOON)

    assert new == 0
    assert [(line.levelno, line.exc_info) for line in caplog.records] == [(logging.WARNING, None)]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_makes_no_dead_letters(valkey, caplog):
    store_records([record()])  # the partition is there
    ship(valkey, record().to_json())
    other = connection.copy()
    with closing(other):
        other.set_autocommit(False)
        other.cursor().execute("LOCK TABLE usage_call IN EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")

        blocked = drain(now=NOON)

    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")
    assert (blocked, DeadLetter.objects.count(), left(valkey)) == (0, 0, (1, 1))
    assert [line.exc_info for line in caplog.records] == [None]
    assert (drain(now=NOON), left(valkey)) == (1, (0, 0))


@pytest.mark.django_db(transaction=True)
def test_readers_at_work_at_once_store_every_call_once(valkey):
    records = [record() for _ in range(3 * BATCH)]
    ship(valkey, *(one.to_json() for one in records))

    def read():
        try:
            return drain(now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        counts = [future.result() for future in [pool.submit(read) for _ in range(3)]]
    counts.append(drain(now=NOON))

    assert (sum(counts), Call.objects.count(), left(valkey)) == (3 * BATCH, 3 * BATCH, (0, 0))
    assert DeadLetter.objects.count() == 0
