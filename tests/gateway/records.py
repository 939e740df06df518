"""Records of calls as the gateway writes them, and the way they take to the stream."""

import os
from dataclasses import replace

from apps.core.uuid7 import instant_of, new_uuid7
from apps.gateway.contract import STREAM, CallRecord
from apps.gateway.shipping import Shipper


def admitted(**fields) -> CallRecord:
    call_id = new_uuid7()
    record = CallRecord(
        id=str(call_id),
        admitted_at=instant_of(call_id),
        pilot_id=1,
        person_id=2,
        key_id=3,
        candidate_id=4,
        provider_id=5,
        alias="pilot-chat",
        endpoint="chat/completions",
        task="chat",
        outcome="crashed_unknown",
    )
    return replace(record, **fields)


def finished(record: CallRecord) -> CallRecord:
    return replace(record, outcome="ok", status=200, total_ms=5)


def redis_url() -> str:
    return os.environ["REDIS_URL"]


def shipper(tmp_path, connection, *folders, keep_seconds=60.0) -> Shipper:
    made = Shipper(
        tmp_path / "journal", connection, routes_version=lambda: 7, keep_seconds=keep_seconds
    )
    made.folders += folders
    return made


def stream(valkey) -> list[CallRecord]:
    return [CallRecord.from_json(fields[b"r"]) for _, fields in valkey.xrange(STREAM)]
