import json
import shlex

import pytest
import yaml

from apps.usage.aliases import Alias
from apps.usage.clients import clients
from apps.usage.continue_settings import continue_yaml, models_of
from apps.usage.titles import named_in

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
        ("Code Llama 34B · codellama-34b · chat", "codellama-34b", ["chat"]),
        ("Code Llama 34B · codellama-34b · edit", "codellama-34b", ["edit", "apply"]),
        ("Code Llama 34B · codellama-34b · autocomplete", "codellama-34b", ["autocomplete"]),
        ('Mistral "7B" · mistral-7b · chat', "mistral-7b", ["chat"]),
        ('Mistral "7B" · mistral-7b · edit', "mistral-7b", ["edit", "apply"]),
    ]
    assert config["models"][0] == {
        "name": "Code Llama 34B · codellama-34b · chat",
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


CHAT, TEXT, FIM, SUFFIX = "chat/completions", "completions", "fim/completions", "suffix"
TEMPLATE = "<PRE>{prefix}<SUF>{suffix}<MID>"


def roles_of(template, *serves):
    models = models_of(Alias("a", "A", template, serves), BASE)
    return [(model["provider"], *model["roles"]) for model in models]


@pytest.mark.parametrize(
    ("template", "serves", "roles"),
    [
        ("", [CHAT], []),
        (TEMPLATE, [CHAT, TEXT], [("openai", "autocomplete")]),
        (TEMPLATE, [CHAT, TEXT, FIM, SUFFIX], [("openai", "autocomplete")]),
        (TEMPLATE, [CHAT], []),  # nobody would take what the template makes
        (TEMPLATE, [CHAT, FIM], [("mistral", "autocomplete")]),
        ("", [CHAT, FIM], [("mistral", "autocomplete")]),
        ("", [CHAT, TEXT, SUFFIX], [("mistral", "autocomplete")]),
        ("", [CHAT, SUFFIX], []),
        ("", [CHAT, TEXT, "embeddings", "rerank"], []),
    ],
)
def test_continue_completes_code_where_the_provider_can(template, serves, roles):
    chat = [("openai", "chat"), ("openai", "edit", "apply")]

    assert roles_of(template, *serves) == chat + roles
    note = by_slug([Alias("a", "A", template, serves)])["continue"].note
    assert bool(note) is not bool(roles)


@pytest.mark.parametrize(
    ("serves", "roles"),
    [
        (["embeddings"], [("openai", "embed")]),
        (["rerank"], [("vllm", "rerank")]),
        (["embeddings", "rerank"], [("openai", "embed"), ("vllm", "rerank")]),
        ([FIM], [("mistral", "autocomplete")]),
        (["messages"], []),
    ],
)
def test_what_does_not_chat_is_offered_for_what_it_does(serves, roles):
    assert roles_of("", *serves) == roles


@pytest.mark.parametrize(
    ("serves", "slugs"),
    [
        ([CHAT], ["continue", "python", "curl"]),
        ([CHAT, "messages"], ["continue", "python", "curl", "claude-code"]),
        (["messages"], ["claude-code"]),
        (["messages/count_tokens"], []),
        (["responses"], []),
        (["embeddings"], ["continue", "python", "curl"]),
        (["rerank"], ["continue", "curl"]),
        ([FIM], ["continue"]),
        ([], []),
    ],
)
def test_only_clients_are_offered_whose_protocol_is_served(serves, slugs):
    assert list(by_slug([Alias("a", "A", "", serves)])) == slugs


def test_each_client_is_given_the_first_name_that_serves_it():
    aliases = [
        Alias("search", "Search", serves=["embeddings", "rerank"]),
        Alias("chatty", "Chatty", serves=[CHAT]),
        Alias("claude", "Claude", serves=[CHAT, "messages"]),
        Alias("other", "Other", serves=["messages"]),
    ]

    known = by_slug(aliases)

    labels = [snippet.label for snippet in known["python"].snippets[2:]]
    assert labels == ["Python", "JavaScript", "Python, embeddings"]
    assert 'model="chatty"' in known["python"].snippets[2].text
    compile(known["python"].snippets[4].text, "snippet", "exec")
    assert 'model="search"' in known["python"].snippets[4].text
    embeds, ranks = known["curl"].snippets[2:]
    for snippet, endpoint in ((embeds, "embeddings"), (ranks, "rerank")):
        words = shlex.split(snippet.text.partition("\n")[2])
        assert words[:2] == ["curl", f"{BASE}/{endpoint}"]
        assert json.loads(words[-1])["model"] == "search"
    unix, windows = known["claude-code"].snippets
    assert unix.text.splitlines() == [
        'export ANTHROPIC_BASE_URL="https://pilot.example"',
        'export ANTHROPIC_AUTH_TOKEN="pd_…"',
        'export ANTHROPIC_MODEL="claude"',
        'export ANTHROPIC_DEFAULT_HAIKU_MODEL="claude"',
        'export CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1"',
    ]
    assert windows.text.splitlines()[2] == '$env:ANTHROPIC_MODEL = "claude"'
    assert known["claude-code"].note.endswith("which is served for claude and other.")


def test_continue_tells_what_was_taken_and_liked_and_no_code():
    (told,) = yaml.safe_load(continue_yaml("p", BASE, ALIASES))["data"]

    assert told == {
        "name": "PilotDash",
        "destination": "https://pilot.example/ingest/continue",
        "schema": "0.2.0",
        "level": "noCode",
        "apiKey": "${{ secrets.PILOTDASH_API_KEY }}",
        "events": [
            "autocomplete",
            "chatFeedback",
            "chatInteraction",
            "editOutcome",
            "tokensGenerated",
            "nextEditOutcome",
            "toolUsage",
        ],
    }


BLIND = {
    "chat": Alias("pilot-chat", "", "", (CHAT, "messages"), "chat"),
    "completion": Alias("pilot-complete", "", "", (FIM,), "completion"),
    "edit": Alias("pilot-edit", "", "", (CHAT,), "edit"),
    "agent": Alias("pilot-agent", "", "", (CHAT,), "agent"),
}


def offered(*aliases):
    models = yaml.safe_load(continue_yaml("p", BASE, aliases))["models"]
    return [(model["name"], model["provider"], *model["roles"]) for model in models]


@pytest.mark.parametrize(
    ("roles", "models"),
    [
        (
            ["chat"],
            [
                ("pilot-chat · chat", "openai", "chat"),
                ("pilot-chat · edit", "openai", "edit", "apply"),
            ],
        ),
        (
            ["chat", "edit"],
            [
                ("pilot-chat · chat", "openai", "chat"),
                ("pilot-edit · edit", "openai", "edit", "apply"),
            ],
        ),
        (["agent"], [("pilot-agent · agent", "openai", "chat")]),
        (["completion"], [("pilot-complete · autocomplete", "mistral", "autocomplete")]),
    ],
)
def test_a_blind_alias_is_offered_for_its_role(roles, models):
    assert offered(*(BLIND[role] for role in roles)) == models


def test_a_blind_alias_leaves_the_template_to_the_gateway():
    (model,) = models_of(BLIND["completion"], BASE)

    assert "promptTemplates" not in model
    assert model["requestOptions"]["headers"] == {"X-PilotDash-Task": "autocomplete"}


def test_an_agents_calls_say_that_they_are_an_agents():
    (model,) = models_of(BLIND["agent"], BASE)

    assert model["requestOptions"]["headers"] == {"X-PilotDash-Task": "agent"}
    assert model["capabilities"] == ["tool_use"]


def test_names_of_models_differ_and_lead_back_to_their_aliases():
    twins = [Alias("twin-a", "Twin", TEMPLATE), Alias("twin-b", "Twin", TEMPLATE)]
    models = [model for alias in (*twins, *BLIND.values()) for model in models_of(alias, BASE)]

    assert len({model["name"] for model in models}) == len(models)
    assert [named_in(model["name"]) for model in models] == [model["model"] for model in models]


def test_programs_that_chat_are_not_pointed_at_names_for_other_uses():
    known = by_slug([BLIND["edit"], BLIND["completion"], BLIND["chat"]])

    assert 'model="pilot-chat"' in known["python"].snippets[2].text
    assert known["claude-code"].note.endswith("which is served for pilot-chat.")
    assert list(by_slug([BLIND["edit"], BLIND["completion"]])) == ["continue"]
    assert known["continue"].note == ""
