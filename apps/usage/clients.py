"""Ready-made settings for the clients that developers have. Pure text; the key stays apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

KEY_VARIABLE: Final = "PILOTDASH_API_KEY"


@dataclass(frozen=True, slots=True)
class Alias:
    """A model name that developers send. Without a FIM template it completes no code."""

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
    note: str = ""


def clients(*, pilot: str, base_url: str, aliases: Sequence[Alias]) -> list[Client]:
    """Return the clients with settings for these aliases, of which there is one at least.

    `base_url` ends in /v1. All of them speak OpenAI's protocol.
    """
    first = aliases[0].alias
    return [
        _continue(pilot, base_url, aliases),
        Client(
            "python",
            "OpenAI SDK",
            (
                "Set your key in the shell that you start your program from.",
                "Any of OpenAI’s SDKs works the same way: a base URL, a key, a model name.",
            ),
            (
                Snippet("macOS and Linux", f'export {KEY_VARIABLE}="pd_…"'),
                Snippet("Windows PowerShell", f'$env:{KEY_VARIABLE} = "pd_…"'),
                Snippet("Python", python_snippet(base_url, first)),
                Snippet("JavaScript", javascript_snippet(base_url, first)),
            ),
        ),
        Client(
            "curl",
            "curl",
            ("Set your key in the shell, then ask one question.",),
            (
                Snippet(
                    "macOS and Linux",
                    f'export {KEY_VARIABLE}="pd_…"\n{curl_snippet(base_url, first)}',
                ),
                Snippet(
                    "Windows PowerShell",
                    f'$env:{KEY_VARIABLE} = "pd_…"\n{powershell_snippet(base_url, first)}',
                ),
            ),
        ),
    ]


def _continue(pilot: str, base_url: str, aliases: Sequence[Alias]) -> Client:
    bare = [alias.name for alias in aliases if not alias.fim_template]
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
    """Return a config.yaml of Continue: chat and edit for each alias, completion where it can.

    A model's name is what Continue reports feedback under, so names are kept apart. Without a
    template of the candidate's own Continue would guess one from the alias, and guess wrong.
    """
    models = []
    for alias in aliases:
        models += [
            _model(alias, "chat", base_url, ["chat"]) | {"capabilities": ["tool_use"]},
            _model(alias, "edit", base_url, ["edit", "apply"]),
        ]
        if alias.fim_template:
            template = alias.fim_template.replace("{prefix}", "{{{prefix}}}")
            template = template.replace("{suffix}", "{{{suffix}}}")
            completes = _model(alias, "autocomplete", base_url, ["autocomplete"])
            models.append(completes | {"promptTemplates": {"autocomplete": template}})
    config = {"name": f"PilotDash – {pilot}", "version": "0.0.1", "schema": "v1", "models": models}
    return yaml.safe_dump(
        config, sort_keys=False, allow_unicode=True, width=1_000, default_flow_style=None
    )


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


def javascript_snippet(base_url: str, alias: str) -> str:
    return f"""import OpenAI from "openai";

const client = new OpenAI({{
  baseURL: "{base_url}",
  apiKey: process.env.{KEY_VARIABLE},
}});
const answer = await client.chat.completions.create({{
  model: "{alias}",
  messages: [{{ role: "user", content: "Write a haiku about code review." }}],
}});
console.log(answer.choices[0].message.content);
"""


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
