"""Continue's command line, `cn`, with the very settings that the Connect page hands out."""

import json

import pytest

from apps.usage.aliases import Alias
from apps.usage.continue_settings import continue_yaml
from apps.usage.snippets import KEY_VARIABLE
from tests.fakes.provider import Script, usage_of
from tests.gateway.rig import KEY

pytestmark = pytest.mark.xdist_group("node")

MODELS = {"pilot-chat": "theirs"}
PROGRAM = "node_modules/@continuedev/cli/dist/cn.js"
# Without these it would report figures, and replace itself by a newer version.
QUIET = {"CONTINUE_METRICS_ENABLED": "0", "CONTINUE_CLI_AUTO_UPDATED": "true"}


def test_the_settings_we_hand_out_answer_a_question(node, live, tmp_path):
    settings = tmp_path / ".continue" / "agents" / "pilotdash.yaml"
    settings.parent.mkdir(parents=True)
    template = "<PRE>{prefix}<SUF>{suffix}<MID>"
    aliases = [Alias("pilot-chat", "Mistral 7B", template)]
    settings.write_text(continue_yaml("Pilot: autumn", node.base_url, aliases))
    (tmp_path / ".continue" / ".env").write_text(f"{KEY_VARIABLE}={KEY}\n")
    (tmp_path / ".continue" / ".onboarding_complete").touch()

    told = node.start(
        str(node.folder / PROGRAM),
        *("-p", "Say hi", "--config", str(settings), "--format", "json"),
        home=tmp_path,
        FORCE_NO_TTY="true",
        **QUIET,
    )

    assert json.loads(told.printed)["response"] == "Grüße aus 东京"
    (record,) = live.records(1)
    assert (record.alias, record.task, record.outcome) == ("pilot-chat", "chat", "ok")
    usage = usage_of(Script(), 3)
    assert (record.prompt_tokens, record.usage_source) == (usage["prompt_tokens"], "provider")
    asked = json.loads(live.provider.seen[-1].body)
    assert asked["messages"][-1] == {"role": "user", "content": "Say hi"}
    assert asked["stream_options"] == {"include_usage": True}
    # It asks its maker for news at every start, telemetry or not; nothing else is called.
    assert set(told.refused) <= {"api.continue.dev"}
