"""Ready-made settings for the clients that developers have. Pure text; the key stays apart.

A client is offered for the model names whose provider serves what it asks for, and for no others.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from apps.gateway.contract import SERVED_BY_MOST, SUFFIX
from apps.usage import snippets
from apps.usage.snippets import KEY_VARIABLE, POWERSHELL, UNIX

CHAT: Final = "chat/completions"
TEXT: Final = "completions"


@dataclass(frozen=True, slots=True)
class Alias:
    """A model name that developers send, and what its provider serves: names of SERVABLE."""

    alias: str
    name: str
    fim_template: str = ""
    serves: Collection[str] = SERVED_BY_MOST

    @property
    def chats(self) -> bool:
        return CHAT in self.serves

    @property
    def has_own_template(self) -> bool:
        """Whether Continue can render the prompt itself, with the candidate's template."""
        return bool(self.fim_template) and TEXT in self.serves

    @property
    def fills_in(self) -> bool:
        """Whether /fim/completions is answered. The gateway has two ways without a template."""
        return "fim/completions" in self.serves or (TEXT in self.serves and SUFFIX in self.serves)

    def does_only(self, endpoint: str) -> bool:
        """A provider says what it serves, not which of its models do: one that chats as well would
        be offered for searching code although the model behind this name is no good at it."""
        return endpoint in self.serves and not self.chats


@dataclass(frozen=True, slots=True)
class Snippet:
    """One piece of settings: where it goes, and what."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Client:
    """A client and how to point it at the pilot."""

    slug: str
    name: str
    steps: tuple[str, ...]
    snippets: tuple[Snippet, ...]
    note: str = ""


def clients(*, pilot: str, base_url: str, aliases: Sequence[Alias]) -> list[Client]:
    """Return the clients that at least one of these aliases serves. `base_url` ends in /v1."""
    known = [
        _continue(pilot, base_url, aliases),
        _openai(base_url, aliases),
        _curl(base_url, aliases),
        _claude_code(base_url, aliases),
    ]
    return [client for client in known if client is not None]


def _openai(base_url: str, aliases: Sequence[Alias]) -> Client | None:
    texts = []
    if chat := _first(alias.alias for alias in aliases if alias.chats):
        texts += [
            Snippet("Python", snippets.python_snippet(base_url, chat)),
            Snippet("JavaScript", snippets.javascript_snippet(base_url, chat)),
        ]
    if embeds := _first(alias.alias for alias in aliases if alias.does_only("embeddings")):
        texts.append(Snippet("Python, embeddings", snippets.python_embeddings(base_url, embeds)))
    if not texts:
        return None
    steps = (
        "Set your key in the shell that you start your program from.",
        "Any of OpenAI’s SDKs works the same way: a base URL, a key, a model name.",
    )
    key = {KEY_VARIABLE: "pd_…"}
    unix = Snippet(UNIX, snippets.exports(key))
    windows = Snippet(POWERSHELL, snippets.assignments(key))
    return Client("python", "OpenAI SDK", steps, (unix, windows, *texts))


def _curl(base_url: str, aliases: Sequence[Alias]) -> Client | None:
    key = {KEY_VARIABLE: "pd_…"}
    unix, windows = snippets.exports(key), snippets.assignments(key)
    texts = []
    if chat := _first(alias.alias for alias in aliases if alias.chats):
        texts += [
            Snippet(UNIX, f"{unix}\n{snippets.curl_snippet(base_url, chat)}"),
            Snippet(POWERSHELL, f"{windows}\n{snippets.powershell_snippet(base_url, chat)}"),
        ]
    if embeds := _first(alias.alias for alias in aliases if alias.does_only("embeddings")):
        text = snippets.curl_embeddings(base_url, embeds)
        texts.append(Snippet(f"Embeddings, {UNIX}", f"{unix}\n{text}"))
    if ranks := _first(alias.alias for alias in aliases if alias.does_only("rerank")):
        text = snippets.curl_rerank(base_url, ranks)
        texts.append(Snippet(f"Reranking, {UNIX}", f"{unix}\n{text}"))
    steps = ("Set your key in the shell, then ask one question.",)
    return Client("curl", "curl", steps, tuple(texts)) if texts else None


def _claude_code(base_url: str, aliases: Sequence[Alias]) -> Client | None:
    names = [alias.alias for alias in aliases if "messages" in alias.serves]
    if not names:
        return None
    variables = {
        "ANTHROPIC_BASE_URL": base_url.removesuffix("/v1"),
        "ANTHROPIC_AUTH_TOKEN": "pd_…",
        "ANTHROPIC_MODEL": names[0],
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": names[0],
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    steps = (
        "Set these in the shell that you start Claude Code from. Its base URL is without /v1.",
        "If ANTHROPIC_API_KEY is set there, unset it: Claude Code would send that one.",
        "Start claude and ask something.",
    )
    texts = (
        Snippet(UNIX, snippets.exports(variables)),
        Snippet(POWERSHELL, snippets.assignments(variables)),
    )
    note = f"It speaks Anthropic’s protocol, which is served for {_listed(names)}."
    return Client("claude-code", "Claude Code", steps, texts, note)


def _continue(pilot: str, base_url: str, aliases: Sequence[Alias]) -> Client | None:
    if not any(models_of(alias, base_url) for alias in aliases):
        return None
    bare = [
        alias.name
        for alias in aliases
        if alias.chats and not alias.has_own_template and not alias.fills_in
    ]
    note = (
        f"Code completion is left out for {', '.join(bare)}: nobody has set how to ask "
        "for the middle of a text. An administrator can, under Set-up, Candidates."
    )
    return Client(
        "continue",
        "Continue",
        (
            "Open Continue’s folder in your home folder: ~/.continue on macOS and Linux, "
            "%USERPROFILE%\\.continue on Windows.",
            "Add your key to the file of secrets in it, .env.",
            "Save the settings as a file of their own in its folder agents. Continue lists them "
            "beside yours, and nothing of yours is changed.",
            "In Continue’s panel choose the agent that is named after the pilot.",
        ),
        (
            Snippet(".continue/.env", f"{KEY_VARIABLE}=pd_…"),
            Snippet(".continue/agents/pilotdash.yaml", continue_yaml(pilot, base_url, aliases)),
        ),
        note if bare else "",
    )


def continue_yaml(pilot: str, base_url: str, aliases: Sequence[Alias]) -> str:
    """Return a config.yaml of Continue with what each alias can do."""
    models = [model for alias in aliases for model in models_of(alias, base_url)]
    config = {"name": f"PilotDash – {pilot}", "version": "0.0.1", "schema": "v1", "models": models}
    return yaml.safe_dump(
        config, sort_keys=False, allow_unicode=True, width=1_000, default_flow_style=None
    )


def models_of(alias: Alias, base_url: str) -> list[dict[str, Any]]:
    """Return Continue's models for an alias: chat, edit, completion, search, where it can.

    A model's name is what Continue reports feedback under, so names are kept apart. Without a
    template of the candidate's own Continue would guess one from the alias, and guess wrong; what
    it calls "mistral" asks /fim/completions instead, where nothing has to be guessed. Its "vllm"
    reads rerank answers as most servers give them.
    """
    models = []
    if alias.chats:
        models += [
            _model(alias, "chat", base_url, ["chat"]) | {"capabilities": ["tool_use"]},
            _model(alias, "edit", base_url, ["edit", "apply"]),
        ]
    if alias.has_own_template:
        template = alias.fim_template.replace("{prefix}", "{{{prefix}}}")
        template = template.replace("{suffix}", "{{{suffix}}}")
        completes = _model(alias, "autocomplete", base_url, ["autocomplete"])
        models.append(completes | {"promptTemplates": {"autocomplete": template}})
    elif alias.fills_in:
        completes = _model(alias, "autocomplete", base_url, ["autocomplete"])
        models.append(completes | {"provider": "mistral"})
    if alias.does_only("embeddings"):
        models.append(_model(alias, "embed", base_url, ["embed"]))
    if alias.does_only("rerank"):
        models.append(_model(alias, "rerank", base_url, ["rerank"]) | {"provider": "vllm"})
    return models


def _model(alias: Alias, task: str, base_url: str, roles: list[str]) -> dict[str, Any]:
    return {
        "name": f"{alias.name} · {task}",
        "provider": "openai",
        "model": alias.alias,
        "apiBase": base_url,
        "apiKey": f"${{{{ secrets.{KEY_VARIABLE} }}}}",
        "roles": roles,
        "requestOptions": {"headers": {"X-PilotDash-Task": task}},
    }


def _first(names: Iterable[str]) -> str:
    return next(iter(names), "")


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
