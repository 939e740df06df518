"""The last step of a connection test: what a model answers, or does not."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from apps.catalog import probe as probe_module
from apps.catalog.probe import probe
from tests.catalog.probing import route, states


@pytest.mark.parametrize("policy", ["always", "reject_option", "none"])
async def test_usage_is_asked_for_only_where_it_is_accepted(fake, url, policy):
    await probe(route(url, stream_usage=policy), model="typed")

    assert [("stream_options" in asked, asked["model"]) for asked in fake.asked] == [
        (False, "typed")
    ]


@pytest.mark.parametrize(
    ("status", "said", "advice"),
    [
        (404, "no such model", "Check the model’s name, and that it serves chat."),
        (429, "slow down", "Wait a little, or ask the provider for a higher limit."),
        (
            422,
            "extra_forbidden: stream_options",
            "Set “Token counts in streams” to “rejects stream_options”.",
        ),
        (400, "not a chat model", "Try another model of the list: not every one serves chat."),
        (401, "no", "Replace the credential, or choose the other kind of authentication."),
    ],
)
async def test_refused_answer_says_what_to_do(fake, url, status, said, advice):
    fake.chat = lambda asked: web.json_response({"error": {"message": said}}, status=status)

    report = await probe(route(url), model="coder")

    assert states(report) == ["ok", "ok", "ok", "ok", "failed"]
    assert (report.failed.detail, report.failed.advice) == (
        f"coder: HTTP {status}. {said}",
        advice,
    )


async def test_model_that_calls_its_limit_otherwise_is_asked_again(fake, url):
    def picky(asked):
        if "max_tokens" in asked:
            message = "Use 'max_completion_tokens' instead."
            return web.json_response({"error": {"message": message}}, status=400)
        return web.Response(
            body=b'data: {"choices":[{"delta":{"content":"ok"}}]}\n\ndata: [DONE]\n\n'
        )

    fake.chat = picky

    report = await probe(route(url), model="thinker")

    assert states(report) == ["ok"] * 5
    assert report.steps[4].advice == (
        "It told no token counts: they will be estimated from what passes by."
    )


@pytest.mark.parametrize(
    ("body", "state", "detail"),
    [
        (b'data: {"error":{"message":"overloaded"}}\n\n', "failed", "coder: overloaded"),
        (b"data: [DONE]\n\n", "unsure", "coder answered without any text."),
        (b"\x00\xff not an event", "unsure", "coder answered without any text."),
        (
            b'{"choices":[{"message":{"content":"hi"}}]}',
            "unsure",
            "coder answered, but not as a stream.",
        ),
    ],
)
async def test_odd_answers_are_told_apart(fake, url, body, state, detail):
    fake.chat = lambda asked: web.Response(body=body)

    report = await probe(route(url), model="coder")

    assert (report.steps[4].state, report.steps[4].detail) == (state, detail)


async def test_provider_that_dribbles_is_cut_off(fake, url, monkeypatch):
    monkeypatch.setattr(probe_module, "WHOLE_TEST_S", 0.3)

    async def dribble(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b": ping\n\n")
            await asyncio.sleep(0.02)

    fake.answer = dribble
    server = TestServer(fake.app())
    await server.start_server()

    report = await probe(route(str(server.make_url("/v1"))), model="coder")

    await server.close()
    assert states(report) == ["ok", "ok", "ok", "ok", "failed"]
    assert report.failed.detail == "Not done after 0 seconds."
