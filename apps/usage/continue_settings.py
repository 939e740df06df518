"""The settings of Continue: every model name for all that it can do, and what to tell of it. Pure.

Continue's own schema reads them in the tests.
"""

from collections.abc import Sequence
from typing import Any, Final

import yaml

from apps.usage.aliases import Alias
from apps.usage.snippets import KEY_VARIABLE
from apps.usage.titles import title_of

# What Continue is asked to tell, of what its own schema knows: no event that is made of code.
EVENTS: Final = (
    "autocomplete",
    "chatFeedback",
    "chatInteraction",
    "editOutcome",
    "tokensGenerated",
    "nextEditOutcome",
    "toolUsage",
)
EVENTS_SCHEMA: Final = "0.2.0"
# The roles of blind aliases, as they are stored, and Continue's words for what each is for.
_TASKS: Final = {
    "completion": ("autocomplete",),
    "chat": ("chat",),
    "edit": ("edit",),
    "agent": ("agent",),
}
_ROLES: Final = {"edit": ("edit", "apply"), "agent": ("chat",)}
# Continue puts in what stands in its file of secrets.
_SECRET: Final = f"${{{{ secrets.{KEY_VARIABLE} }}}}"


def continue_yaml(pilot: str, base_url: str, aliases: Sequence[Alias]) -> str:
    """Return a config.yaml of Continue with what each alias can do, and what it is to tell us."""
    others_edit = any(alias.role == "edit" for alias in aliases)
    config = {
        "name": f"PilotDash – {pilot}",
        "version": "0.0.1",
        "schema": "v1",
        "models": [
            model
            for alias in aliases
            for model in models_of(alias, base_url, others_edit=others_edit)
        ],
        "data": [_telling(base_url)],
    }
    return yaml.safe_dump(
        config, sort_keys=False, allow_unicode=True, width=1_000, default_flow_style=None
    )


def models_of(alias: Alias, base_url: str, *, others_edit: bool = False) -> list[dict[str, Any]]:
    """Return Continue's models for an alias: chat, edit, completion, search, where it can.

    A model's name is what Continue reports feedback under, so names are kept apart. Without a
    template of the candidate's own Continue would guess one from the alias, and guess wrong; what
    it calls "mistral" asks /fim/completions instead, where nothing has to be guessed, and where the
    gateway renders the template of whoever's turn it is. Its "vllm" reads rerank answers as most
    servers give them. A blind alias for chats edits as well, unless there is one for edits.
    """
    models = []
    for task in _tasks_of(alias, others_edit):
        model = _model(alias, task, base_url)
        if task in ("chat", "agent"):
            model["capabilities"] = ["tool_use"]
        elif task == "rerank":
            model["provider"] = "vllm"
        elif task == "autocomplete" and alias.has_own_template:
            template = alias.fim_template.replace("{prefix}", "{{{prefix}}}")
            template = template.replace("{suffix}", "{{{suffix}}}")
            model["promptTemplates"] = {"autocomplete": template}
        elif task == "autocomplete":
            model["provider"] = "mistral"
        models.append(model)
    return models


def _tasks_of(alias: Alias, others_edit: bool) -> list[str]:
    edits = ("edit",) if alias.role == "chat" and not others_edit else ()
    wanted = (*_TASKS[alias.role], *edits) if alias.role else None
    can = {
        "chat": alias.chats,
        "edit": alias.chats,
        "agent": alias.chats and alias.role == "agent",
        "autocomplete": alias.has_own_template or alias.fills_in,
        "embed": alias.does_only("embeddings"),
        "rerank": alias.does_only("rerank"),
    }
    return [task for task, possible in can.items() if possible and (not wanted or task in wanted)]


def _model(alias: Alias, task: str, base_url: str) -> dict[str, Any]:
    return {
        "name": title_of(alias.name, alias.alias, task),
        "provider": "openai",
        "model": alias.alias,
        "apiBase": base_url,
        "apiKey": _SECRET,
        "roles": [*_ROLES.get(task, (task,))],
        "requestOptions": {"headers": {"X-PilotDash-Task": task}},
    }


def _telling(base_url: str) -> dict[str, Any]:
    return {
        "name": "PilotDash",
        "destination": f"{base_url.removesuffix('/v1')}/ingest/continue",
        "schema": EVENTS_SCHEMA,
        # Without prompts, completions and code. What it sends of paths we drop.
        "level": "noCode",
        "apiKey": _SECRET,
        "events": list(EVENTS),
    }
