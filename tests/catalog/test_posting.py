"""Posting to an address that a person typed: where it may lead, and what travels."""

import json
import socket
from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync

from apps.catalog import posting
from apps.catalog.posting import CLOSED, HTTPS, NOT_REACHED, ODD, NotPostable, post_json, target_of
from apps.core.addresses import OPENABLE, Policy, own_endpoints, parse_ranges
from apps.gateway.upstream import Timeouts
from tests.fakes.chat import ChatServer

OWN = own_endpoints([("127.0.0.1", 8000), ("pilot.example", 443)])
# Everything that may be opened for models is open.
FOR_MODELS = Policy(loopback_open=True, allow=parse_ranges(["10.0.0.0/8"]), own=OWN)


@pytest.fixture
def chat(settings):
    with ChatServer() as running:
        settings.WEBHOOK_HOSTS = (running.place,)
        yield running


@pytest.fixture
def opened(settings):
    """Open as much as can be for models, and these for chats."""
    settings.UPSTREAM_POLICY = FOR_MODELS

    def opened(*hosts):
        settings.WEBHOOK_HOSTS = hosts

    opened()
    return opened


def post(url, body=None):
    async_to_sync(post_json)(url, body or {"text": "hi"})


def refusal(act, *args):
    with pytest.raises(NotPostable) as refused:
        act(*args)
    return str(refused.value)


@pytest.mark.parametrize(
    ("url", "base_url", "path"),
    [
        ("https://hooks.example/a/b", "https://hooks.example", "/a/b"),
        ("https://hooks.example:8443/a?b=c", "https://hooks.example:8443", "/a?b=c"),
        ("https://hooks.example", "https://hooks.example", "/"),
        ("https://8.8.8.8/a", "https://8.8.8.8", "/a"),
    ],
)
def test_public_addresses_are_taken_apart(opened, url, base_url, path):
    target = target_of(url)

    assert (target.base_url, target.path) == (base_url, path)
    assert target.policy == Policy(own=OWN)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("chat.inside", "https://chat.inside/a"),
        ("chat.inside", "http://CHAT.inside./a"),
        ("chat.inside:8065", "http://chat.inside:8065/a"),
        ("10.1.2.3", "https://10.1.2.3/a"),
        ("192.168.1.2:8065", "http://192.168.1.2:8065/a"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/a"),
        ("[::1]:9000", "http://[::1]:9000/a"),
    ],
)
def test_hosts_that_the_operator_named_are_open(opened, name, url):
    opened("other.inside", name)

    assert target_of(url).policy == Policy(own=OWN, allow=OPENABLE)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        # What is open for models, and one of our own servers beside it: told alike.
        ("http://127.0.0.1:9000/a", CLOSED),
        ("https://127.0.0.1:9000/a", CLOSED),
        ("http://127.0.0.1:8000/setup/", CLOSED),
        ("http://localhost:8000/setup/", CLOSED),
        ("https://pilot.example/setup/", CLOSED),
        ("https://10.1.2.3/a", CLOSED),
        ("https://192.168.1.2/a", CLOSED),
        ("https://169.254.169.254/a", CLOSED),
        ("http://hooks.example/a", HTTPS),
        ("http://localhost:9000/a", HTTPS),
        # A name opens its own port alone.
        ("http://chat.inside:8065/a", HTTPS),
        ("https://10.9.9.9:8443/a", CLOSED),
        ("ftp://hooks.example/a", "Only http and https addresses are spoken to."),
        (
            "https://me:pw@hooks.example/a",
            "An address must not carry a user or password; use the credential.",
        ),
        ("https:///a", "The address names no host."),
        (
            "https://[::1/a",
            "The address cannot be read; use http(s)://host[:port]/path.",
        ),
        ("https://hooks.example/a?b=c#d", ODD),
        ("https://hooks.example/a?b=\r\nX: y", ODD),
    ],
)
def test_address_is_refused(opened, url, sentence):
    opened("chat.inside", "10.9.9.9")

    assert refusal(target_of, url) == sentence


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/a", "https://169.254.169.254/a"])
def test_naming_opens_neither_our_own_servers_nor_what_is_never_opened(opened, url):
    opened("127.0.0.1:8000", "169.254.169.254")

    assert refusal(target_of, url) == CLOSED


def test_behind_a_proxy_named_hosts_alone_are_asked_for(opened, settings):
    settings.EGRESS_PROXY = "http://proxy.example:3128"
    settings.UPSTREAM_POLICY = replace(FOR_MODELS, hosts=("models.example",))
    opened("chat.example")

    assert target_of("https://chat.example/a").policy == Policy(own=OWN, hosts=("chat.example",))
    for url in ("https://models.example/a", "https://hooks.example/a"):
        assert refusal(target_of, url) == CLOSED


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


def nobody(monkeypatch, settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        settings.WEBHOOK_HOSTS = (place,)
        return refusal(post, f"http://{place}/secret")


def silent(monkeypatch, settings):
    timeouts = Timeouts(connect=1, first_byte=0.1, silence=0.1, whole=0.2)
    monkeypatch.setattr(posting, "TIMEOUTS", timeouts)
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        settings.WEBHOOK_HOSTS = (place,)
        return refusal(post, f"http://{place}/secret")


def no_certificate(monkeypatch, settings):
    with ChatServer() as plain:
        settings.WEBHOOK_HOSTS = (plain.place,)
        return refusal(post, plain.url.replace("http:", "https:"))


def name_leads_to_a_closed_address(monkeypatch, settings):
    """The text is fine and the name's address is not: what a rebinding name would try."""
    with ChatServer() as inside:
        # No literal address, and over https it passes the check of the text.
        return refusal(post, f"https://localhost:{inside.port}/a")


@pytest.mark.parametrize("how", [nobody, silent, no_certificate, name_leads_to_a_closed_address])
def test_all_failures_to_reach_it_are_told_alike(how, monkeypatch, settings):
    assert how(monkeypatch, settings) == NOT_REACHED
