"""Ready-made settings for the clients that developers have. Pure text; the key stays apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

KEY_VARIABLE: Final = "PILOTDASH_API_KEY"


@dataclass(frozen=True, slots=True)
class Alias:
    """A model name that developers send. An empty FIM template: the client brings its own."""

    alias: str
    name: str
    fim_template: str = ""


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


def clients(*, pilot: str, base_url: str, aliases: Sequence[Alias]) -> list[Client]:
    """Return the clients with settings for these aliases; `base_url` ends in /v1."""
    first = aliases[0].alias if aliases else "model"
    return [
        Client(
            "continue",
            "Continue",
            (
                "Put your key into the file of secrets; the folder is in your home folder "
                "(on Windows %USERPROFILE%).",
                "Save the settings as a file of their own. Continue then lists them beside yours, "
                "and nothing of yours is changed.",
                "In the Continue panel, choose the assistant that is named after the pilot.",
            ),
            (
                Snippet("~/.continue/.env", f"{KEY_VARIABLE}=pd_…"),
                Snippet(
                    "~/.continue/agents/pilotdash.yaml", continue_yaml(pilot, base_url, aliases)
                ),
            ),
        ),
        Client(
            "python",
            "OpenAI SDK",
            ("The key comes from your environment. Any OpenAI SDK works the same way.",),
            (
                Snippet("Shell", f'export {KEY_VARIABLE}="pd_…"'),
                Snippet("Python", python_snippet(base_url, first)),
            ),
        ),
        Client(
            "curl",
            "curl",
            ("Asks one question and shows the answer as it comes.",),
            (
                Snippet("Linux and macOS", curl_snippet(base_url, first)),
                Snippet("PowerShell", powershell_snippet(base_url, first)),
            ),
        ),
    ]


def continue_yaml(pilot: str, base_url: str, aliases: Sequence[Alias]) -> str:
    """Return a config.yaml of Continue: chat and edit for each alias, and autocompletion.

    A model's name is what Continue reports feedback under, so names are kept apart.
    """
    models = []
    for alias in aliases:
        chat = _model(alias, "chat", base_url, ["chat"]) | {"capabilities": ["tool_use"]}
        edit = _model(alias, "edit", base_url, ["edit", "apply"])
        autocomplete = _model(alias, "autocomplete", base_url, ["autocomplete"])
        if alias.fim_template:
            template = alias.fim_template.replace("{prefix}", "{{{prefix}}}")
            template = template.replace("{suffix}", "{{{suffix}}}")
            autocomplete["promptTemplates"] = {"autocomplete": template}
        models += [chat, edit, autocomplete]
    config = {"name": f"PilotDash – {pilot}", "version": "0.0.1", "schema": "v1", "models": models}
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100)


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


def python_snippet(base_url: str, alias: str) -> str:
    return f'''import os

from openai import OpenAI

client = OpenAI(base_url="{base_url}", api_key=os.environ["{KEY_VARIABLE}"])
stream = client.chat.completions.create(
    model="{alias}",
    messages=[{{"role": "user", "content": "Write a haiku about code review."}}],
    stream=True,
)
for event in stream:
    if event.choices:
        print(event.choices[0].delta.content or "", end="")
'''


def curl_snippet(base_url: str, alias: str) -> str:
    return f"""curl -N {base_url}/chat/completions \\
  -H "Authorization: Bearer ${KEY_VARIABLE}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{alias}", "stream": true,
       "messages": [{{"role": "user", "content": "Say hello."}}]}}'
"""


def powershell_snippet(base_url: str, alias: str) -> str:
    return f"""$body = @{{ model = "{alias}"
  messages = @(@{{ role = "user"; content = "Say hello." }}) }} | ConvertTo-Json -Depth 4
Invoke-RestMethod {base_url}/chat/completions -Method Post -Body $body `
  -ContentType "application/json" -Headers @{{ Authorization = "Bearer $env:{KEY_VARIABLE}" }}
"""
