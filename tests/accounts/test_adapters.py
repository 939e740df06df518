from pathlib import Path

import pytest
from allauth.core import context
from django.test import RequestFactory

from apps.accounts.adapters import AccountAdapter, SingleSignOnAdapter


@pytest.mark.parametrize(
    ("forwarded", "peer", "trusted", "address"),
    [
        # Straight to the pages, as in tests.
        (None, "192.0.2.1", [], "192.0.2.1"),
        # The gateway appends what it saw; what stands before it may be invented.
        ("198.51.100.9", "127.0.0.1", [], "198.51.100.9"),
        ("1.1.1.1, 198.51.100.9", "127.0.0.1", [], "198.51.100.9"),
        # A proxy of ours before the gateway.
        ("198.51.100.9, 10.0.0.5", "127.0.0.1", ["10.0.0.0/8"], "198.51.100.9"),
        ("1.1.1.1, 198.51.100.9, 10.0.0.5", "127.0.0.1", ["10.0.0.5"], "198.51.100.9"),
        ("1.1.1.1, 2001:db8::7, 10.0.0.5", "127.0.0.1", ["10.0.0.5"], "2001:db8::7"),
        # Garbage is passed over.
        ("unknown, ,", "192.0.2.1", [], "192.0.2.1"),
        ("10.0.0.5", "10.0.0.5", ["10.0.0.5"], "0.0.0.0"),
        (None, "", [], "0.0.0.0"),
    ],
)
def test_limits_count_the_last_address_that_is_no_proxy_of_ours(
    settings, forwarded, peer, trusted, address
):
    settings.TRUSTED_PROXIES = trusted
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)

    assert AccountAdapter(request).get_client_ip(request) == address


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("/pilots/x/?a=b", True),
        ("http://testserver/x", True),
        ("https://testserver/x", True),
        ("http://testserver.evil.example/", False),
        ("http://localhost/", False),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("\n//evil.example", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_only_this_host_is_a_safe_place_to_go(url, safe):
    request = RequestFactory().get("/")

    with context.request_context(request):
        assert AccountAdapter(request).is_safe_url(url) is safe


def test_the_operators_authorities_are_trusted_besides_the_usual_ones(settings):
    settings.CA_FILE = str(Path(__file__).parent / "authority.pem")

    session = SingleSignOnAdapter().get_requests_session()

    pool = session.get_adapter("https://login.example").poolmanager
    trust = pool.connection_pool_kw["ssl_context"]
    names = [dict(field[0] for field in ca["subject"]) for ca in trust.get_ca_certs()]
    assert {"commonName": "PilotDash test authority"} in names
    assert len(names) > 1
