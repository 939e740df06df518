"""The lines for shells: bash really answers; of the others the text is held."""

import json
import os
import shutil
import subprocess

import pytest

from apps.feedback.shell import snippets
from tests.fakes.chat import ChatServer

KEY = "pd_0123456789"


@pytest.fixture
def server():
    with ChatServer() as running:
        yield running


def run(shell, line, call, server):
    program = f"{line}\n{call}\n"
    environment = {**os.environ, "PILOTDASH_API_KEY": KEY, "no_proxy": "127.0.0.1"}
    options = {"env": environment, "text": True, "capture_output": True, "check": True}
    subprocess.run([*shell, program], timeout=20, **options)
    [(_, path, headers, raw)] = server.requests
    assert (path, headers["Authorization"]) == ("/v1/feedback", f"Bearer {KEY}")
    assert headers["Content-Type"] == "application/json"
    return json.loads(raw)


def url(server):
    return f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("today 4", {"id": "today", "rating": 4}),
        ("today 2 'slow, but right'", {"id": "today", "rating": 2, "comment": "slow, but right"}),
        (
            "today 5 'said \"yes\" to c:\\d; $HOME `x`'",
            {"id": "today", "rating": 5, "comment": "said yes to c:d; $HOME `x`"},
        ),
        ("today 3 $'two\\nlines'", {"id": "today", "rating": 3, "comment": "two lines"}),
        ("today 3 'schön'", {"id": "today", "rating": 3, "comment": "schön"}),
        ("today", {"id": "today", "rating": 0}),  # which the server refuses in words
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_posix_shells_answer(server, shell, call, body):
    if not shutil.which(shell) or not shutil.which("curl"):
        pytest.skip(f"no {shell} or no curl")
    posix, _, _ = snippets(url(server))

    assert run([shell, "-c"], posix.text, call, server) == body


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("today 4", {"id": "today", "rating": 4, "comment": ""}),
        (
            "today 2 'slow \"but\" right'",
            {"id": "today", "rating": 2, "comment": "slow  but  right"},
        ),
    ],
)
def test_fish_answers(server, call, body):
    if not shutil.which("fish") or not shutil.which("curl"):
        pytest.skip("no fish or no curl")
    _, fish, _ = snippets(url(server))

    assert run(["fish", "-c"], fish.text, call, server) == body


def test_every_line_is_one_line_and_takes_the_key_from_the_environment():
    found = snippets("https://pilot.example")

    assert [snippet.label.partition(":")[0] for snippet in found] == [
        "bash and zsh",
        "fish",
        "PowerShell",
    ]
    for snippet in found:
        assert "\n" not in snippet.text
        assert snippet.text.count("https://pilot.example/v1/feedback") == 1
        assert snippet.text.count("PILOTDASH_API_KEY") == 1


def test_powershell_line_is_this_text():
    assert snippets("https://pilot.example")[2].text == (
        "function today([int]$rating,[string]$why='') { Invoke-RestMethod "
        'https://pilot.example/v1/feedback -Method Post -ContentType "application/json" '
        '-Headers @{Authorization="Bearer $env:PILOTDASH_API_KEY"} '
        "-Body ([Text.Encoding]::UTF8.GetBytes((@{id='today';rating=$rating;comment=$why}"
        "|ConvertTo-Json))) }"
    )
