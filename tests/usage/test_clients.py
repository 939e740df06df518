import shlex

import yaml

from apps.usage.clients import Alias, clients, continue_yaml

BASE = "https://pilot.example/v1"
ALIASES = [
    Alias("codellama-34b", "Code Llama 34B", "<PRE> {prefix} <SUF>{suffix} <MID>"),
    Alias("mistral-7b", 'Mistral "7B"'),
]


def by_slug(aliases=ALIASES):
    return {client.slug: client for client in clients(pilot="p", base_url=BASE, aliases=aliases)}


def test_continue_settings_read_as_yaml_with_every_role():
    config = yaml.safe_load(continue_yaml("Code assistant: autumn", BASE, ALIASES))

    assert config["name"] == "PilotDash – Code assistant: autumn"
    assert config["schema"] == "v1"
    assert [(model["name"], model["model"], model["roles"]) for model in config["models"]] == [
        ("Code Llama 34B · chat", "codellama-34b", ["chat"]),
        ("Code Llama 34B · edit", "codellama-34b", ["edit", "apply"]),
        ("Code Llama 34B · autocomplete", "codellama-34b", ["autocomplete"]),
        ('Mistral "7B" · chat', "mistral-7b", ["chat"]),
        ('Mistral "7B" · edit', "mistral-7b", ["edit", "apply"]),
    ]
    assert config["models"][0] == {
        "name": "Code Llama 34B · chat",
        "provider": "openai",
        "model": "codellama-34b",
        "apiBase": BASE,
        "apiKey": "${{ secrets.PILOTDASH_API_KEY }}",
        "roles": ["chat"],
        "requestOptions": {"headers": {"X-PilotDash-Task": "chat"}},
        "capabilities": ["tool_use"],
    }


def test_a_candidates_own_template_goes_to_autocompletion_alone():
    models = yaml.safe_load(continue_yaml("p", BASE, ALIASES))["models"]

    templates = [model.get("promptTemplates") for model in models]

    completes = {"autocomplete": "<PRE> {{{prefix}}} <SUF>{{{suffix}}} <MID>"}
    assert templates == [None, None, completes, None, None]


def test_what_cannot_complete_code_is_named():
    assert by_slug()["continue"].note.startswith('Code completion is left out for Mistral "7B":')
    assert by_slug(ALIASES[:1])["continue"].note == ""


def test_snippets_name_the_address_and_the_first_alias():
    _, _, python, javascript = by_slug()["python"].snippets
    unix, windows = by_slug()["curl"].snippets

    compile(python.text, "snippet", "exec")
    assert f'base_url="{BASE}"' in python.text
    assert f'baseURL: "{BASE}"' in javascript.text
    export, _, curl = unix.text.partition("\n")
    assert export == 'export PILOTDASH_API_KEY="pd_…"'
    assert shlex.split(curl)[:3] == ["curl", "-N", f"{BASE}/chat/completions"]
    assert windows.text.startswith('$env:PILOTDASH_API_KEY = "pd_…"\n$body = @{ model = "codell')
    assert list(by_slug()) == ["continue", "python", "curl"]


def test_every_systems_place_of_the_settings_is_told():
    steps = " ".join(by_slug()["continue"].steps)

    assert "~/.continue on macOS and Linux" in steps
    assert "%USERPROFILE%\\.continue on Windows" in steps
    assert [snippet.label for snippet in by_slug()["continue"].snippets] == [
        ".continue/.env",
        ".continue/agents/pilotdash.yaml",
    ]
