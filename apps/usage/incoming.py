"""What the bytes of a call record must be before the database is asked to keep them."""

from dataclasses import fields
from datetime import datetime, timedelta
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_type_hints
from uuid import UUID

from apps.core.uuid7 import instant_of, is_uuid7
from apps.gateway.contract import CallRecord, UnknownVersion
from apps.usage.partitions import AHEAD, BACK, is_in_reach

MILLISECOND: Final = timedelta(milliseconds=1)


class Unstorable(Exception):
    """The record can never become a call. The message is its reason, for administrators."""


def _allowed_types() -> dict[str, frozenset[type]]:
    hints = get_type_hints(CallRecord)
    allowed = {}
    for field in fields(CallRecord):
        hint: Any = hints[field.name]
        options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        allowed[field.name] = frozenset(getattr(option, "__origin__", option) for option in options)
    return allowed


_TYPES: Final = _allowed_types()


def read_record(raw: bytes, *, now: datetime) -> CallRecord:
    """Return the record that the bytes carry. Raises Unstorable."""
    try:
        record = CallRecord.from_json(raw)
    except UnknownVersion as problem:
        raise Unstorable(str(problem)) from None
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise Unstorable(f"unreadable: {type(problem).__name__}: {problem}") from None
    _check_types(record)
    _check_id(record)
    if not is_in_reach(record.admitted_at, now=now):
        raise Unstorable(
            f"admitted at {record.admitted_at:%Y-%m-%d %H:%M}, which is not within {BACK.days} "
            f"days back and {AHEAD.days} day ahead"
        )
    return record


def _check_types(record: CallRecord) -> None:
    # Exact types, since True would pass for 1.
    for name, allowed in _TYPES.items():
        value = getattr(record, name)
        if type(value) not in allowed:
            wanted = " or ".join(
                sorted("null" if kind is NoneType else kind.__name__ for kind in allowed)
            )
            raise Unstorable(f"{name} is {type(value).__name__}, not {wanted}")


def _check_id(record: CallRecord) -> None:
    """The id's time is the call's: it makes the id alone as unique as the table's key."""
    try:
        call_id = UUID(record.id)
    except ValueError:
        raise Unstorable("the id is not a UUID") from None
    if not is_uuid7(call_id):
        raise Unstorable("the id is not a UUIDv7")
    if not timedelta(0) <= record.admitted_at - instant_of(call_id) < MILLISECOND:
        raise Unstorable("the id carries another time than admitted_at")
