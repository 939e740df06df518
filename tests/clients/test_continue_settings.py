"""Continue's own schema reads the settings that we hand out."""

import json

import pytest
import yaml

from apps.feedback.ide_events import SCHEMAS
from apps.usage.aliases import Alias
from apps.usage.continue_settings import EVENTS, EVENTS_SCHEMA, continue_yaml

pytestmark = pytest.mark.xdist_group("node")


def test_continues_own_schema_accepts_what_we_hand_out(bare_node):
    aliases = [
        Alias("codellama-34b", 'Code "Llama": 34B', "<PRE> {prefix} <SUF>{suffix} <MID>"),
        Alias("mistral-7b", "Mistral 7B"),
        Alias("codestral", "Codestral", serves=("chat/completions", "fim/completions")),
        Alias("search", "Search", serves=("embeddings", "rerank")),
        Alias("pilot-chat", "", serves=("chat/completions",), role="chat"),
        Alias("pilot-complete", "", serves=("fim/completions",), role="completion"),
        Alias("pilot-agent", "", serves=("chat/completions",), role="agent"),
    ]
    settings = continue_yaml("Pilot: autumn", "https://pilot.example/v1", aliases)

    told = bare_node.start("config.mjs", given=settings)

    read = json.loads(told.printed)
    assert read.get("error") is None
    assert read["data"] == yaml.safe_load(settings)
    assert read["data"]["data"][0]["level"] == "noCode"


def test_every_event_that_we_ask_for_is_one_of_continues(bare_node):
    known = {(told["schema"], told["level"]): told["names"] for told in names(bare_node)}

    assert [name for name in EVENTS if name not in known[EVENTS_SCHEMA, "noCode"]] == []
    assert sorted({schema for schema, _ in known}) == list(SCHEMAS)


def names(node):
    return node.run("events.mjs", "names")
