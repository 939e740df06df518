"""Answers to blind aliases are made anew from an allow-list; every client must still read them."""

import json
from dataclasses import replace

import openai
import pytest

from apps.gateway.contract import SERVABLE, RouteTable
from tests.gateway.rig import KEY
from tests.gateway.stand_ins import rotate

pytestmark = pytest.mark.xdist_group("node")

MODELS = {
    "pilot-chat": "theirs",
    "blind": "theirs",
    "tools": "theirs?tools=2",
    "blind-tools": "theirs?tools=2",
}
DETAILS = ("prompt_tokens_details", "input_tokens_details", "output_tokens_details")
HELLO = [{"role": "user", "content": "hi"}]


def routes(table: RouteTable) -> RouteTable:
    """Each blind alias has the same provider as one that can be seen."""
    pilot = table.pilots[1]
    for name, number in pilot.aliases.items():
        if "blind" in name:
            pilot = rotate(pilot, name, number)
    everything = replace(table.providers[5], serves=SERVABLE)
    return replace(
        table,
        pilots=table.pilots | {1: pilot},
        providers={5: everything},
    )


@pytest.fixture
def client(live):
    with openai.OpenAI(api_key=KEY, base_url=f"{live.url}/v1", max_retries=0) as client:
        yield client


@pytest.mark.parametrize(
    ("program", "step"),
    [
        ("openai.mjs", "chatStream"),
        ("openai.mjs", "completionStream"),
        ("openai.mjs", "embed"),
        ("openai.mjs", "respond"),
        ("openai.mjs", "respondStream"),
        ("continue.mjs", "chatStream"),
        ("continue.mjs", "fim"),
        ("continue.mjs", "rerank"),
        ("anthropic.mjs", "stream"),
        ("anthropic.mjs", "events"),
        ("anthropic.mjs", "count"),
    ],
)
def test_a_client_reads_a_blind_answer_like_any_other(node, program, step):
    seen = node.run(program, step, model="pilot-chat")
    blind = node.run(program, step, model="blind")

    assert not any(isinstance(value, dict) and "error" in value for value in seen)
    assert comparable(blind) == comparable(seen)


def comparable(values):
    """What a step told, but for the alias and for what blind answers keep to themselves: the
    details of tokens, such as whether some came from a cache."""
    told = json.loads(json.dumps(values).replace('"blind"', '"pilot-chat"'))
    for value in told:
        usage = value.get("usage", value) if isinstance(value, dict) else {}
        for name in DETAILS:
            usage.pop(name, None)
        if "cache_read_input_tokens" in usage:
            cached = usage.pop("cache_read_input_tokens") + usage.pop("cache_creation_input_tokens")
            usage["input_tokens"] += cached
    return told


def test_tool_calls_of_a_blind_alias_are_gathered(client):
    def gathered(alias):
        with client.chat.completions.stream(model=alias, messages=HELLO) as stream:
            message = stream.get_final_completion().choices[0].message
        return message.content, [call.function.name for call in message.tool_calls]

    assert gathered("blind-tools") == gathered("tools") == ("Grüße aus 东京", ["look", "look"])


def test_the_helper_for_responses_gathers_a_blind_one(client):
    with client.responses.stream(model="blind", input="hi") as stream:
        kinds = [event.type for event in stream]
        whole = stream.get_final_response()

    assert (whole.output_text, whole.model) == ("Grüße aus 东京", "blind")
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (9, 3)


def test_no_header_names_the_candidate(client):
    raw = client.chat.completions.with_raw_response.create(model="blind", messages=HELLO)

    assert "x-pilotdash-candidate" not in raw.headers
    assert "openai-processing-ms" not in raw.headers
    assert raw.parse().system_fingerprint is None
