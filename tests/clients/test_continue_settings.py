"""Continue's own schema reads the settings that we hand out."""

import json

import pytest
import yaml

from apps.usage.aliases import Alias
from apps.usage.continue_settings import continue_yaml

pytestmark = pytest.mark.xdist_group("node")


def test_continues_own_schema_accepts_what_we_hand_out(bare_node):
    aliases = [
        Alias("codellama-34b", 'Code "Llama": 34B', "<PRE> {prefix} <SUF>{suffix} <MID>"),
        Alias("mistral-7b", "Mistral 7B"),
        Alias("codestral", "Codestral", serves=("chat/completions", "fim/completions")),
        Alias("search", "Search", serves=("embeddings", "rerank")),
    ]
    settings = continue_yaml("Pilot: autumn", "https://pilot.example/v1", aliases)

    told = bare_node.start("config.mjs", given=settings)

    read = json.loads(told.printed)
    assert read.get("error") is None
    assert read["data"] == yaml.safe_load(settings)
