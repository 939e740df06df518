"""The steps of a connection test, from the address to the list of models."""

import asyncio
import socket

import pytest
from aiohttp import web

from apps.catalog import probe as probe_module
from apps.catalog.probe import likely_chat_model, probe
from apps.core.addresses import Policy
from apps.gateway.contract import ProviderRoute
from apps.gateway.upstream import Timeouts
from tests.catalog.probing import SECRET, route, states


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


async def test_provider_of_anthropics_protocol_is_tested_up_to_its_models(fake, url):
    seen = {}

    async def list_models(request):
        seen.update({name: request.headers.get(name) for name in ("x-api-key", "Authorization")})
        seen["version"] = request.headers.get("anthropic-version")
        return fake.models

    fake.list_models_instead = list_models

    report = await probe(route(url, auth="x_api_key", serves=("messages",)))

    assert states(report) == ["ok"] * 4 + ["unsure"]
    assert report.passed
    assert fake.asked == []
    assert seen == {"x-api-key": SECRET, "Authorization": None, "version": "2023-06-01"}
