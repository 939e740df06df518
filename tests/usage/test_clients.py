import shlex

import yaml

from apps.usage.clients import Alias, clients, continue_yaml

BASE = "https://pilot.example/v1"
ALIASES = [
    Alias("codellama-34b", "Code Llama 34B", "<PRE> {prefix} <SUF>{suffix} <MID>"),
    Alias("mistral-7b", 'Mistral "7B"'),
]


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
        ('Mistral "7B" · autocomplete', "mistral-7b", ["autocomplete"]),
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

    assert templates[2] == {"autocomplete": "<PRE> {{{prefix}}} <SUF>{{{suffix}}} <MID>"}
    assert [each for number, each in enumerate(templates) if number != 2] == [None] * 5


def test_snippets_name_the_address_and_the_first_alias():
    by_slug = {client.slug: client for client in clients(pilot="p", base_url=BASE, aliases=ALIASES)}

    python = by_slug["python"].snippets[1].text
    curl = by_slug["curl"].snippets[0].text

    compile(python, "snippet", "exec")
    assert f'base_url="{BASE}"' in python
    assert shlex.split(curl)[:3] == ["curl", "-N", f"{BASE}/chat/completions"]
    assert list(by_slug) == ["continue", "python", "curl"]
