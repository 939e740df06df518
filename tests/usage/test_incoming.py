from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.usage.incoming import Unstorable, read_record
from tests.factories import NOON, make_record

RECORD = make_record(pilot_id=1, person_id=2, candidate_id=3)


def changed(**fields):
    return orjson.dumps(orjson.loads(RECORD.to_json()) | fields)


def without(name):
    fields = orjson.loads(RECORD.to_json())
    del fields[name]
    return orjson.dumps(fields)


def test_a_record_is_read_as_it_was_written():
    assert read_record(RECORD.to_json(), now=NOON) == RECORD


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "unreadable: JSONDecodeError"),
        (b"\xff", "unreadable: JSONDecodeError"),
        (b"[]", "unreadable: ValueError: a call record is a JSON object"),
        (b"null", "unreadable: ValueError: a call record is a JSON object"),
        (changed(v=9), "call record version 9"),
        (without("v"), "call record version None"),
        (without("pilot_id"), "unreadable: TypeError"),
        (without("admitted_at"), "unreadable: KeyError"),
        (changed(surprise=1), "unreadable: TypeError"),
        (changed(attempts=[{"status": 200}]), "unreadable: TypeError"),
        (changed(attempts=[7]), "unreadable: TypeError"),
        (changed(admitted_at="2026-11-18T12:00:00"), "unreadable: ValueError"),
        (changed(outcome="fine"), "unreadable: ValueError: outcome 'fine' is not one of"),
        (changed(pilot_id="1"), "pilot_id is str, not int"),
        (changed(pilot_id=None), "pilot_id is NoneType, not int"),
        (changed(total_ms=1.5), "total_ms is float, not int or null"),
        (changed(status=True), "status is bool, not int or null"),
        (changed(streamed=1), "streamed is int, not bool"),
        (changed(session={"a": 1}), "session is dict, not str"),
        (changed(id="chatcmpl-1"), "the id is not a UUID"),
        (changed(id=str(uuid4())), "the id is not a UUIDv7"),
        (changed(admitted_at="2026-11-18T12:00:00.001Z"), "the id carries another time"),
    ],
)
def test_what_can_never_be_a_call_says_why(raw, reason):
    with pytest.raises(Unstorable, match=f"^{reason}"):
        read_record(raw, now=NOON)


@pytest.mark.parametrize("now", [NOON - timedelta(days=2), NOON + timedelta(days=401)])
def test_a_call_out_of_reach_says_when_it_was(now):
    with pytest.raises(Unstorable, match="admitted at 2026-11-18 12:00, which is not within"):
        read_record(RECORD.to_json(), now=now)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)


CHANGES = st.tuples(st.sampled_from(sorted(orjson.loads(RECORD.to_json()))), JSON)


@given(st.binary(max_size=80) | CHANGES.map(lambda change: changed(**dict([change]))))
def test_any_bytes_are_a_record_or_unstorable(raw):
    with suppress(Unstorable):
        assert type(read_record(raw, now=NOON)) is type(RECORD)
