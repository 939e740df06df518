"""Continue's adapter for OpenAI's protocol, run by Node.js against the gateway."""

import json
from dataclasses import replace

import pytest

from apps.gateway.contract import SERVABLE, RouteTable
from tests.clients.routes import apart
from tests.fakes.provider import Script, usage_of, vector_of
from tests.gateway.live import until

pytestmark = pytest.mark.xdist_group("node")

MODELS = {
    "pilot-chat": "theirs",
    "plain": "theirs?usage=each",
    "bare": "theirs?usage=never",
    "stuck": "theirs?events=9&hang=mid",
    "mad": "theirs?error_at=2",
}
USAGE = usage_of(Script(), 3)
WORDS = ("Grüße", " aus", " 东京")


def routes(table: RouteTable) -> RouteTable:
    """`plain` and `bare` are at providers that serve what most do; the others serve everything."""
    table = apart(table, "plain", "bare", most_stops=4)
    everything = replace(table.providers[5], serves=SERVABLE)
    number = table.pilots[1].aliases["plain"]
    plain = replace(
        table.candidates[number],
        fim_template="<PRE>{prefix}<SUF>{suffix}<MID>",
        fim_stops=("<EOT>",),
    )
    table = replace(
        table,
        candidates=table.candidates | {number: plain},
        providers=table.providers | {5: everything},
    )
    return apart(table, "stuck", "mad")


def run(node, step, model="pilot-chat", **options):
    return node.run("continue.mjs", step, model=model, **options)


def sent(live) -> dict:
    """The last body that reached the provider."""
    return json.loads(live.provider.seen[-1].body)


def test_a_chat(node):
    assert run(node, "chat") == [{"role": "assistant", "content": "".join(WORDS)}, USAGE]


def test_a_streamed_chat_ends_with_its_usage(node):
    pieces = run(node, "chatStream")

    words = [{"content": word} for word in WORDS]
    assert pieces == [{"role": "assistant", "content": ""}, *words, {}, USAGE]


def test_a_chat_that_is_left_is_closed_upstream(node, live):
    pieces = run(node, "abort", "stuck", headers={"X-PilotDash-Session": "leaving"})

    assert pieces[:2] == [{"role": "assistant", "content": ""}, {"content": "Grüße"}]
    until(lambda: live.provider.seen[-1].left is not None, seconds=1)
    (record,) = live.calls_of("leaving", 1)
    assert record.outcome == "client_cancelled"
    assert (record.usage_source, record.streamed) == ("estimated", True)


def test_a_completion_with_a_template_of_continues_own(node, live):
    headers = {"X-PilotDash-Task": "autocomplete", "X-PilotDash-Session": "raw"}

    pieces = run(node, "complete", "plain", headers=headers)

    assert pieces == [*WORDS, ""]
    assert sent(live)["prompt"] == "def f("
    (record,) = live.calls_of("raw", 1)
    assert (record.endpoint, record.task, record.usage_source) == (
        "completions",
        "autocomplete",
        "provider",
    )


def test_the_middle_of_a_text_from_a_provider_that_knows_how(node, live):
    pieces = run(node, "fim", headers={"X-PilotDash-Session": "fim"})

    assert "".join(piece.get("content") or "" for piece in pieces) == "".join(WORDS)
    assert (sent(live)["prompt"], sent(live)["suffix"]) == ("def f(", "):\n")
    (record,) = live.calls_of("fim", 1)
    assert (record.endpoint, record.task, record.outcome) == (
        "fim/completions",
        "autocomplete",
        "ok",
    )


@pytest.mark.parametrize("model", ["pilot-chat", "plain"])
def test_the_middle_of_a_text_as_our_settings_ask_for_it(node, live, model):
    headers = {"X-PilotDash-Session": f"settings-{model}"}

    pieces = run(node, "fim", model, provider="mistral", headers=headers)

    assert "".join(piece.get("content") or "" for piece in pieces) == "".join(WORDS)
    (record,) = live.calls_of(headers["X-PilotDash-Session"], 1)
    assert (record.endpoint, record.outcome) == ("fim/completions", "ok")


def test_the_middle_of_a_text_by_the_candidates_template(node, live):
    pieces = run(node, "fim", "plain")

    assert "".join(piece.get("content") or "" for piece in pieces) == "".join(WORDS)
    assert live.provider.seen[-1].path == "/v1/completions"
    assert sent(live)["prompt"] == "<PRE>def f(<SUF>):\n<MID>"
    assert "suffix" not in sent(live)
    # The candidate's own stop comes first, for this provider takes four.
    assert sent(live)["stop"] == ["<EOT>", "/src/", "#- coding: utf-8", "```"]


def test_a_middle_that_is_left_is_closed_upstream(node, live):
    pieces = run(node, "abortFim", "stuck", headers={"X-PilotDash-Session": "typing"})

    assert pieces[-1] == "left"
    until(lambda: live.provider.seen[-1].left is not None, seconds=1)
    (record,) = live.calls_of("typing", 1)
    assert record.outcome == "client_cancelled"


def test_a_middle_that_nobody_can_write_is_a_json_error(node):
    (error,) = run(node, "fim", "bare")

    # Continue shows the body as it came.
    told = json.loads(error["message"])["error"]
    assert (told["type"], told["code"]) == ("not_found_error", "endpoint_not_served")
    assert "bare" in told["message"]


def test_embeddings(node):
    assert run(node, "embed") == [pytest.approx(vector_of("float"), abs=1e-8)] * 2


@pytest.mark.parametrize("provider", ["openai", "vllm"])
def test_rerank(node, live, provider):
    session = f"rank-{provider}"

    ranks = run(node, "rerank", provider=provider, headers={"X-PilotDash-Session": session})

    assert [rank["index"] for rank in ranks] == [0, 1, 2]
    assert [rank["score"] for rank in ranks] == pytest.approx([0.9, 0.8, 0.7])
    (record,) = live.calls_of(session, 1)
    assert (record.endpoint, record.task, record.outcome) == ("rerank", "rerank", "ok")


def test_models(node):
    assert run(node, "list") == sorted(MODELS)


def test_an_error_inside_a_chat_is_shown_in_its_words(node):
    *pieces, error = run(node, "chatStream", "mad")

    assert [piece["content"] for piece in pieces] == ["", "Grüße", " aus"]
    assert error["message"] == "the model ran away"


def test_an_error_inside_a_middle_is_shown_in_its_words(node):
    *pieces, error = run(node, "fim", "mad")

    assert pieces[-1]["content"] == " aus"
    assert error["message"] == "Error streaming response: the model ran away"


def test_an_unknown_model_is_named(node):
    (error,) = run(node, "chatStream", "nothing")

    assert error["status"] == 404
    assert "The pilot autumn has no model 'nothing'" in error["message"]


def test_a_key_that_was_cut_off_is_explained(node):
    (error,) = run(replace(node, key="pd_cut"), "chatStream")

    assert error["status"] == 401
    assert "cut off when copied" in error["message"]
