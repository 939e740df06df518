"""Posting to an address that a person typed: where it may lead, and what travels."""

import json
import socket

import pytest
from asgiref.sync import async_to_sync

from apps.catalog import posting
from apps.catalog.posting import NotPostable, Target, post_json, target_of
from apps.core.addresses import Policy, own_endpoints, parse_ranges
from apps.gateway.upstream import Timeouts
from tests.fakes.chat import ChatServer

LOOPBACK = Policy(loopback_open=True)
PUBLIC = Policy()


@pytest.fixture
def chat():
    with ChatServer() as running:
        yield running


def post(url, body=None):
    async_to_sync(post_json)(url, body or {"text": "hi"})


@pytest.mark.parametrize(
    ("url", "policy", "target"),
    [
        ("https://hooks.example/a/b", PUBLIC, Target("https://hooks.example", "/a/b")),
        (
            "https://hooks.example:8443/a?b=c",
            PUBLIC,
            Target("https://hooks.example:8443", "/a?b=c"),
        ),
        ("https://hooks.example", PUBLIC, Target("https://hooks.example", "/")),
        ("http://127.0.0.1:9000/a", LOOPBACK, Target("http://127.0.0.1:9000", "/a")),
        ("http://localhost:9000/a", LOOPBACK, Target("http://localhost:9000", "/a")),
        ("http://[::1]:9000/a", LOOPBACK, Target("http://[::1]:9000", "/a")),
        (
            "https://10.1.2.3/a",
            Policy(allow=parse_ranges(["10.0.0.0/8"])),
            Target("https://10.1.2.3", "/a"),
        ),
        (
            "https://hooks.example/a",
            Policy(hosts=("hooks.example",)),
            Target("https://hooks.example", "/a"),
        ),
    ],
)
def test_address_is_taken_apart(url, policy, target):
    assert target_of(url, policy) == target


@pytest.mark.parametrize(
    ("url", "policy", "sentence"),
    [
        ("http://hooks.example/a", LOOPBACK, "Use https: the address is a secret."),
        ("http://127.0.0.1/a", PUBLIC, "127.0.0.1 is loopback, and no range opens it."),
        (
            "http://10.1.2.3/a",
            Policy(allow=parse_ranges(["10.0.0.0/8"])),
            "Use https: the address is a secret.",
        ),
        ("https://10.1.2.3/a", LOOPBACK, "10.1.2.3 is private, and no range opens it."),
        (
            "https://169.254.169.254/a",
            LOOPBACK,
            "169.254.169.254 is link-local, where clouds keep their metadata; "
            "such addresses are never opened.",
        ),
        ("ftp://hooks.example/a", PUBLIC, "Only http and https addresses are spoken to."),
        (
            "https://me:pw@hooks.example/a",
            PUBLIC,
            "An address must not carry a user or password; use the credential.",
        ),
        ("https:///a", PUBLIC, "The address names no host."),
        (
            "https://hooks.example/a?b=c#d",
            PUBLIC,
            "The address contains characters that have no place in one.",
        ),
        (
            "https://hooks.example/a?b=\r\nX: y",
            PUBLIC,
            "The address contains characters that have no place in one.",
        ),
        (
            "http://localhost:8000/setup/",
            Policy(loopback_open=True, own=own_endpoints([("127.0.0.1", 8000)])),
            "localhost:8000 is one of PilotDash's own servers.",
        ),
        (
            "https://other.example/a",
            Policy(hosts=("hooks.example",)),
            "other.example is not among the hosts that may be reached through the egress proxy.",
        ),
    ],
)
def test_address_is_refused(url, policy, sentence):
    with pytest.raises(NotPostable) as refused:
        target_of(url, policy)

    assert str(refused.value) == sentence


def test_message_travels_as_json(chat):
    post(f"{chat.url}?thread=1", {"text": "hi <x>"})

    [(method, path, headers, raw)] = chat.requests
    assert (method, path) == ("POST", "/services/T0/B0/secret?thread=1")
    assert headers == {
        "Host": f"127.0.0.1:{chat.port}",
        "User-Agent": headers["User-Agent"],
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "Content-Length": str(len(raw)),
    }
    assert json.loads(raw) == {"text": "hi <x>"}


@pytest.mark.parametrize(
    ("status", "headers", "sentence"),
    [
        (404, {}, "It answered with HTTP 404."),
        (500, {}, "It answered with HTTP 500."),
        (
            302,
            {"location": "http://169.254.169.254/"},
            "It only redirects, and redirects are not followed.",
        ),
    ],
)
def test_other_answers_are_told_by_their_number_alone(chat, status, headers, sentence):
    chat.answers["/services/T0/B0/secret"] = (status, headers)

    with pytest.raises(NotPostable) as refused:
        post(chat.url)

    assert str(refused.value) == sentence
    assert len(chat.requests) == 1


def test_nobody_there_is_told_without_the_address():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))

        with pytest.raises(NotPostable) as refused:
            post(f"http://127.0.0.1:{taken.getsockname()[1]}/secret")

    assert str(refused.value) == "Nothing answers there."


def test_a_silent_server_is_given_up(monkeypatch):
    monkeypatch.setattr(
        posting, "TIMEOUTS", Timeouts(connect=1, first_byte=0.1, silence=0.1, whole=0.2)
    )
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(NotPostable) as refused,
    ):
        post(f"http://127.0.0.1:{silent.getsockname()[1]}/secret")

    assert str(refused.value) == "It did not answer in time."


def test_name_that_leads_to_a_closed_address_is_refused_when_connecting(settings):
    """The text is fine and the name's address is not: what a rebinding name would try."""
    settings.UPSTREAM_POLICY = PUBLIC
    # "localhost" is no literal address, and over https it passes the check of the text.
    assert target_of("https://localhost:9/a").host == "localhost"

    with pytest.raises(NotPostable) as refused:
        post("https://localhost:9/a")

    assert str(refused.value) == "It leads to an address that PilotDash may not reach."
