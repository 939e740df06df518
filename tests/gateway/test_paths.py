"""Which paths are whose, and what is told to those who meant another."""

import pytest

from apps.gateway.contract import ENDPOINTS
from apps.gateway.paths import is_misspelled
from tests.gateway.rig import CHAT, GOOD

HINT = "The base URL of PilotDash ends in /v1."


@pytest.mark.parametrize(
    "path",
    [
        *[f"/{endpoint}" for endpoint in ENDPOINTS],
        "/chat/completions/",
        "/models",
        "/models/pilot-chat",
        "/v1",
        "/t",
        "/V1/chat/completions",
        "/V1",
        "/T/chat/v1/models",
        "//v1/models",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_who_forgot_the_base_url_is_told_so(rig, method, path):
    reply = await rig.request(method, path, GOOD)

    assert (reply.status, reply.error["code"]) == (404, "unknown_path")
    assert reply.error["message"] == f"There is nothing at {path}. {HINT}"
    assert (reply.json.get("type") == "error") is ("messages" in path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/setup/providers/5/models/",
        "/me/",
        "/pilots/models/",
        "/join/v1/",
        "/ingest/continue",
        "/readyz",
        "/modelsx",
    ],
)
def test_pages_keep_their_paths(path):
    assert not is_misspelled(path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CHAT, "POST"),
        ("HEAD", "/v1/messages", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/t/chat/v1/models/pilot-chat", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(rig, method, path, allowed):
    reply = await rig.request(method, path, GOOD)

    assert (reply.status, reply.error["code"]) == (405, "method_not_allowed")
    assert reply.headers["allow"] == allowed
