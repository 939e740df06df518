"""Who is let in to which model, and what the others are told."""

from dataclasses import replace

import pytest

from apps.core.keys import READER_PREFIX, digest, new_key
from apps.gateway.contract import RouteTable
from tests.gateway.rig import CHAT, EARLY, EXPIRED, GOOD, KEY, LATE, NOW


@pytest.mark.parametrize(
    ("key", "status", "code", "kind"),
    [
        ("", 401, "invalid_api_key", "authentication_error"),
        ("sk-something", 401, "invalid_api_key", "authentication_error"),
        (KEY[:-1], 401, "invalid_api_key", "authentication_error"),
        (new_key(), 401, "invalid_api_key", "authentication_error"),
        (new_key(READER_PREFIX), 401, "invalid_api_key", "authentication_error"),
        ("é" * 43, 401, "invalid_api_key", "authentication_error"),
        (EXPIRED, 401, "expired_key", "authentication_error"),
        (EARLY, 403, "pilot_not_open", "permission_error"),
        (LATE, 410, "pilot_not_open", "not_found_error"),
    ],
    # Keys are made anew in every process; test names must not be.
    ids=("none", "foreign", "cut", "unknown", "reader", "letters", "expired", "early", "late"),
)
@pytest.mark.parametrize("path", [CHAT, "/v1/models"])
async def test_keys_that_may_not_call_are_refused(rig, key, status, code, kind, path):
    method = "GET" if path == "/v1/models" else "POST"

    reply = await rig.request(method, path, GOOD, key=key)

    assert (reply.status, reply.error["code"], reply.error["type"]) == (status, code, kind)
    assert reply.headers["content-type"] == "application/json"
    assert rig.records() == []
    assert rig.provider.seen == []


@pytest.mark.parametrize("header", ["x-api-key", "api-key"])
async def test_the_key_may_stand_in_other_headers(rig, header):
    reply = await rig.request("POST", CHAT, GOOD, {header: KEY}, key="")

    assert reply.status == 200


async def test_a_second_header_does_not_help_a_bad_key(rig):
    reply = await rig.request("POST", CHAT, GOOD, {"x-api-key": KEY}, key="wrong")

    assert reply.status == 401


async def test_a_revoked_key_is_refused_with_the_next_table(rig):
    assert (await rig.request("POST", CHAT, GOOD)).status == 200

    rig.service.routes.table.keys.pop(digest(KEY))

    assert (await rig.request("POST", CHAT, GOOD)).status == 401


@pytest.mark.parametrize("taken", ["key", "other"])
async def test_a_key_that_is_revoked_while_its_body_arrives_is_refused(rig, taken):
    table = rig.service.routes.table
    revoked = digest(KEY if taken == "key" else EARLY)
    newer = {text: key for text, key in table.keys.items() if text != revoked}
    sent: list[dict] = []

    async def receive():
        # The next table comes while a part of the body is still under way.
        rig.service.routes.table = replace(table, version=8, keys=newer)
        return {"type": "http.request", "body": GOOD}

    async def send(message):
        sent.append(message)

    headers = [(b"authorization", f"Bearer {KEY}".encode())]
    scope = {"type": "http", "method": "POST", "path": CHAT, "headers": headers}
    await rig.gateway(scope, receive, send)

    assert sent[0]["status"] == (401 if taken == "key" else 200)
    assert len(rig.records()) == len(rig.provider.seen) == (taken == "other")
    assert rig.service.slots.running == 0


async def test_before_the_first_table_nobody_is_called_unknown(rig):
    rig.service.routes.table = RouteTable(version=0, built_at=NOW)

    reply = await rig.request("POST", CHAT, GOOD)

    assert (reply.status, reply.error["code"], reply.headers["retry-after"]) == (
        503,
        "no_routes",
        "1",
    )


async def test_a_paused_model_is_refused(rig):
    routes = rig.service.routes.table
    candidate = routes.candidates[11]
    routes.candidates[11] = type(candidate)(
        id=11, slug="c", provider_id=5, upstream_model="m", state="paused"
    )

    reply = await rig.request("POST", CHAT, GOOD)

    assert (reply.status, reply.error["code"]) == (503, "paused_model")
