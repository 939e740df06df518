"""Not one byte that the gateway sends for a blind alias tells who answers, whatever goes wrong."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from apps.gateway.contract import SERVABLE, LimitRoute, PriceRoute
from tests.gateway.blind.telling import CHAT as WHOLE
from tests.gateway.blind.telling import TELLING
from tests.gateway.conftest import (
    rig as rig,
)  # a whole gateway, and a provider that gives itself away
from tests.gateway.rig import KEY
from tests.gateway.stand_ins import rotate

ARMS = (11, 12)
# What we say ourselves, the same of everybody.
OWN_WORDS = (b'"code":"provider_resting"', b'"owned_by":"pilotdash"')
ENDPOINTS = (
    "chat/completions",
    "completions",
    "fim/completions",
    "messages",
    "responses",
    "embeddings",
    "rerank",
    "messages/count_tokens",
)
STREAMED = ENDPOINTS[:5]
# How a provider can fail or be odd: what follows the model's name in the fake one.
ODDITIES = (
    "echo=acme",
    "comment=1&echo=acme",
    "usage=groq&id=acme-1",
    "tools=2&id=acme-1",
    "status=400",
    "status=401",
    "status=404&shape=tgi",
    "status=413&shape=fastapi",
    "status=429&retry_after=9",
    "status=500&shape=mistral",
    "status=503&shape=anthropic",
    "status=529&raw=acme says no",
    "status=302",
    "reset=head",
    "reset=body",
    "empty=1",
    "error_at=1",
    "garbage_at=1",
    "cut_at=1",
    'raw={"acme":1}',
)


def blind(rig, odd="", *, state="active", fallback=None, **pilot):
    """Let two candidates of telling names take turns, both of them at fault in the same way."""
    rig.route(f"theirs?{odd}", serves=SERVABLE)
    table = rig.service.routes.table
    now = datetime.now(UTC)
    table.providers[5] = replace(table.providers[5], slug="acme-cloud")
    prices = (PriceRoute(now - timedelta(days=1), None, input=10**9, cached=10**9, output=10**9),)
    for number in ARMS:
        table.candidates[number] = replace(
            table.candidates[11],
            id=number,
            slug=f"acme-{number}",
            state=state,
            fallback_id=fallback,
            prices=prices,
            fim_template="<acme>{prefix}<s>{suffix}<m>",
        )
    table.pilots[1] = replace(rotate(table.pilots[1], "pilot-chat", *ARMS), **pilot)
    return table


async def ask(rig, endpoint="chat/completions", *, stream=False, **more):
    body = {
        "model": "pilot-chat",
        "messages": [{"role": "user", "content": "hi"}],
        "prompt": "hi",
        "suffix": "",
        "input": "hi",
        "query": "hi",
        "documents": ["a", "b"],
        "max_tokens": 9,
    } | more
    if endpoint != "fim/completions":
        body.pop("suffix")
    if stream:
        body["stream"] = True
    return await rig.request("POST", f"/v1/{endpoint}", json.dumps(body).encode())


def told(rig, *replies):
    """Everything telling in these, and where the provider is."""
    table = rig.service.routes.table
    port = table.providers[5].base_url.rpartition(":")[2].partition("/")[0]
    found = []
    for reply in replies:
        raw = json.dumps(reply.headers).encode() + b"\n" + reply.body
        for ours in OWN_WORDS:
            raw = raw.replace(ours, b"")
        found += [each.group() for each in TELLING.finditer(raw)]
        if f":{port}".encode() in raw:
            found.append(port)
    return found


@pytest.mark.parametrize("odd", ODDITIES)
async def test_whatever_a_provider_does_nobody_learns_whose_it_is(rig, odd):
    rig.service.attempts.first_wait = 0.001
    blind(rig, odd)

    replies = []
    for endpoint in ENDPOINTS:
        replies.append(await ask(rig, endpoint))
        if endpoint in STREAMED:
            replies.append(await ask(rig, endpoint, stream=True))

    assert told(rig, *replies) == []
    assert all(reply.whole for reply in replies)


async def test_refusals_by_limits_name_nobody_and_no_price(rig):
    """Neither those of a candidate nor those of the pilot tell what a call costs."""
    for scope in ("candidate", "pilot", "person", "key"):
        for limit in (
            LimitRoute(scope, requests_per_minute=1),
            LimitRoute(scope, tokens_per_minute=30),
            LimitRoute(scope, nano_usd=1, period="day"),
            LimitRoute(scope, nano_usd=1, period="pilot", is_hard=False),
        ):
            blind(rig, limits=(limit,))

            replies = await asyncio.gather(*(ask(rig) for _ in range(3)))

            assert told(rig, *replies) == []
            assert not any(b"USD" in reply.body for reply in replies)


@pytest.mark.parametrize("state", ["paused", "active"])
async def test_refusals_of_models_name_nobody(rig, state):
    table = blind(rig, state=state)
    table.providers[5] = replace(table.providers[5], serves=("embeddings",))
    # Whoever has a name of its own may be named by that, and by no other.
    table.pilots[1] = replace(table.pilots[1], aliases={"marble": 11})

    replies = [
        await ask(rig),
        await ask(rig, model="nobody"),
        await ask(rig, n=99),
        await ask(rig, background=True),
        await rig.request("POST", "/v1/chat/completions", b"{"),
        await rig.request("GET", "/v1/models"),
        await rig.request("GET", "/v1/models/pilot-chat"),
        await rig.request("GET", "/v1/models/nobody"),
        await rig.request("GET", "/v1/chat/completions"),
        await rig.request("GET", "/v1/nowhere"),
        await rig.request("GET", "/metrics", client="203.0.113.9"),
    ]

    assert told(rig, *replies) == []
    assert replies[-1].status == 401


async def test_a_provider_that_rests_or_cannot_be_reached_is_not_named(rig):
    rig.service.attempts.first_wait = 0.001
    table = blind(rig, "status=500")
    failing = [await ask(rig) for _ in range(8)]
    table.providers[5] = replace(table.providers[5], base_url="http://127.0.0.1:9/v1/acme")
    await asyncio.sleep(1.1)  # it is left alone for a second
    away = [await ask(rig) for _ in range(2)]

    assert told(rig, *failing, *away) == []
    assert {reply.status for reply in failing} == {500, 503}
    assert {reply.status for reply in away} <= {502, 503}


async def test_who_stands_in_is_as_little_known(rig):
    rig.service.attempts.first_wait = 0.001
    table = blind(rig, "status=503", fallback=12)
    table.providers[6] = replace(table.providers[5], id=6, slug="acme-elsewhere")
    table.candidates[12] = replace(table.candidates[12], provider_id=6, upstream_model="theirs")

    reply = await ask(rig)

    assert (reply.status, rig.record().candidate_id) == (200, 12)
    assert told(rig, reply) == []


async def test_the_search_sees_what_an_alias_that_is_not_blind_tells(rig):
    blind(rig, "echo=acme")
    table = rig.service.routes.table
    table.pilots[1] = replace(table.pilots[1], blind={}, aliases={"pilot-chat": 11})
    rig.provider.canned = ("application/json", WHOLE.encode())

    reply = await ask(rig)

    assert KEY not in str(reply.headers)
    assert len(set(told(rig, reply))) > 5
