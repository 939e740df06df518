"""Ready-made settings for the clients that developers have. Pure text; the key stays apart.

A client is offered for the model names whose provider serves what it asks for, and for no others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.usage import snippets
from apps.usage.aliases import Alias
from apps.usage.continue_settings import continue_yaml, models_of
from apps.usage.snippets import KEY_VARIABLE, POWERSHELL, UNIX


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
    if chat := _first(alias.alias for alias in aliases if alias.chats and alias.is_for_talk):
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
    if chat := _first(alias.alias for alias in aliases if alias.chats and alias.is_for_talk):
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
    names = [alias.alias for alias in aliases if "messages" in alias.serves and alias.is_for_talk]
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
        if alias.chats and not (alias.role or alias.has_own_template or alias.fills_in)
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
            "From then on Continue tells us what you accept and what you like: never code, and "
            "names of files are not kept. Take the part “data” out of the file to keep it quiet.",
        ),
        (
            Snippet(".continue/.env", f"{KEY_VARIABLE}=pd_…"),
            Snippet(".continue/agents/pilotdash.yaml", continue_yaml(pilot, base_url, aliases)),
        ),
        note if bare else "",
    )


def _first(names: Iterable[str]) -> str:
    return next(iter(names), "")


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
