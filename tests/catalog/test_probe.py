import asyncio
import json
import socket

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from django.conf import settings as django_settings

from apps.catalog import probe as probe_module
from apps.catalog.probe import likely_chat_model, probe
from apps.core.addresses import Policy
from apps.core.secrets import seal
from apps.gateway.contract import ProviderRoute
from apps.gateway.upstream import Timeouts

SECRET = "sk-live-0123456789abcdef"
USAGE = {"prompt_tokens": 12, "completion_tokens": 1}


class Fake:
    """A provider whose every answer can be replaced."""

    def __init__(self):
        self.asked = []
        self.models = web.json_response({"data": [{"id": "bge-embed"}, {"id": "coder"}]})
        self.events = [
            {"choices": [{"delta": {"content": "ready"}}]},
            {"choices": [], "usage": USAGE},
        ]
        self.chat = None
        self.key = SECRET

    def app(self):
        app = web.Application()
        app.router.add_get("/v1/models", self.list_models)
        app.router.add_post("/v1/chat/completions", self.answer)
        return app

    def is_refused(self, request):
        return self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}"

    async def list_models(self, request):
        if self.is_refused(request):
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            return web.json_response({"error": {"message": f"Bad key {given}"}}, status=401)
        return self.models

    async def answer(self, request):
        self.asked.append(await request.json())
        if self.chat is not None:
            return self.chat(self.asked[-1])
        if self.is_refused(request):
            return web.json_response({"error": "no"}, status=401)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in self.events:
            await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response


@pytest.fixture
def fake():
    return Fake()


@pytest.fixture
async def url(fake):
    server = TestServer(fake.app())
    await server.start_server()
    yield str(server.make_url("/v1"))
    await server.close()


def route(url, credential=SECRET, **fields):
    sealed = seal(credential, django_settings.ENCRYPTION_KEYS) if credential else ""
    return ProviderRoute(id=1, slug="p", base_url=url, credential=sealed, **fields)


def states(report):
    return [step.state for step in report.steps]


def nothing_secret(report):
    return SECRET not in repr(report)


async def test_working_provider_passes_every_step(fake, url):
    report = await probe(route(url))

    assert states(report) == ["ok"] * 5
    assert report.passed
    assert report.failed is None
    assert (report.models, report.model) == (("bge-embed", "coder"), "coder")
    assert report.steps[0].detail == (
        "Loopback is open while PilotDash itself listens on loopback only."
    )
    assert report.steps[4].detail.startswith("coder: first token after ")
    assert report.steps[4].detail.endswith(" ms; 12 tokens in, 1 out")
    assert all(step.took_ms is not None for step in report.steps)
    assert fake.asked == [
        {
            "model": "coder",
            "messages": [{"role": "user", "content": "Reply with the one word: ready"}],
            "max_tokens": 32,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


@pytest.mark.parametrize("policy", ["always", "reject_option", "none"])
async def test_usage_is_asked_for_only_where_it_is_accepted(fake, url, policy):
    await probe(route(url, stream_usage=policy), model="typed")

    assert [("stream_options" in asked, asked["model"]) for asked in fake.asked] == [
        (False, "typed")
    ]


async def test_wrong_key_fails_at_authentication_and_is_not_shown(fake, url):
    fake.key = "another"

    report = await probe(route(url))

    assert states(report) == ["ok", "ok", "failed", "skipped", "skipped"]
    assert report.failed.detail == "The provider refuses us. Bad key …"
    assert report.failed.advice == (
        "Replace the credential, or choose the other kind of authentication."
    )
    assert nothing_secret(report)
    assert not report.passed


async def test_missing_key_is_named(fake, url):
    report = await probe(route(url, credential=""))

    assert report.failed.advice == "Set a credential."


async def test_key_that_our_keys_do_not_open_is_named(url):
    provider = ProviderRoute(id=1, slug="p", base_url=url, credential="gAAAA-other")

    report = await probe(provider)

    assert states(report) == ["ok", "failed", "skipped", "skipped", "skipped"]
    assert report.failed.advice == "Set it again, or restore the key it was sealed with."


async def test_refused_address_names_the_rule_and_what_to_add(settings):
    settings.UPSTREAM_POLICY = Policy()

    report = await probe(route("http://10.1.2.3:8000/v1"))

    assert states(report) == ["failed", "skipped", "skipped", "skipped", "skipped"]
    assert report.failed.detail == "10.1.2.3 is private, and no range opens it."
    assert report.failed.advice == (
        "The operator would set PILOTDASH_UPSTREAM_ALLOW_CIDRS=10.1.2.3/32"
    )


async def test_closed_port_fails_at_connecting():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        report = await probe(route(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))

    assert states(report) == ["ok", "failed", "skipped", "skipped", "skipped"]
    assert report.failed.advice == "Check host and port, and that the server is running."


async def test_provider_without_a_list_is_judged_by_its_answer(fake, url):
    fake.models = web.json_response({"detail": "Not Found"}, status=404)

    report = await probe(route(url), model="coder")

    assert states(report) == ["ok", "ok", "unsure", "unsure", "ok"]
    assert report.steps[3].detail == "There is no list: HTTP 404. Not Found"
    assert report.passed


async def test_no_list_and_no_model_asks_for_a_name(fake, url):
    fake.models = web.json_response({"data": []})

    report = await probe(route(url))

    assert states(report) == ["ok", "ok", "ok", "unsure", "failed"]
    assert report.failed.advice == "Type a model’s name and test again."


async def test_page_instead_of_a_list_is_told(fake, url):
    fake.models = web.Response(text="<html>Sign in</html>", content_type="text/html")

    report = await probe(route(url), model="coder")

    assert report.steps[3].detail == "What came is not a list of models."


async def test_redirect_is_not_followed(fake, url):
    fake.models = web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})

    report = await probe(route(url))

    assert states(report) == ["ok", "ok", "unsure", "failed", "skipped"]
    assert report.failed.advice == "Use the final address."


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


async def test_silent_provider_ends_the_test_in_time(monkeypatch):
    gone = asyncio.Event()

    async def never(reader, writer):
        await reader.read()
        writer.close()
        gone.set()

    monkeypatch.setattr(probe_module, "TIMEOUTS", Timeouts(connect=1, first_byte=0.2))
    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    report = await probe(route(f"http://127.0.0.1:{port}/v1"))

    await gone.wait()
    server.close()
    assert states(report) == ["ok", "failed", "skipped", "skipped", "skipped"]
    assert report.failed.detail == "The provider did not answer in time."


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


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([], ""),
        (["bge-m3"], "bge-m3"),
        (["bge-m3", "qwen-coder"], "qwen-coder"),
        (["Whisper-large", "text-embedding-3", "gpt"], "gpt"),
    ],
)
def test_likely_chat_model_is_not_one_for_something_else(names, chosen):
    assert likely_chat_model(names) == chosen
