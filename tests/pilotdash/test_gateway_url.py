"""Where our own processes reach the gateway."""

import pytest

from pilotdash import env

TLS = {"TLS_CERT_FILE": "c.pem", "TLS_KEY_FILE": "k.pem"}
SITE = {"SITE_URL": "https://pilot.example.com"}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("PILOTDASH_GATEWAY_URL", "HOST", "PORT", "SITE_URL", *TLS):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("told", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"HOST": "0.0.0.0", "PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"HOST": "::"}, "http://[::1]:8000"),
        ({"HOST": "10.0.0.5"} | SITE, "http://10.0.0.5:8000"),
        ({"HOST": "0.0.0.0"} | SITE | TLS, "https://127.0.0.1:8000"),
        ({"HOST": "localhost"} | SITE | TLS, "https://localhost:8000"),
        # A certificate is made for a name.
        ({"HOST": "10.0.0.5"} | SITE | TLS, "https://pilot.example.com:8000"),
        ({"PILOTDASH_GATEWAY_URL": "https://gateway:1/"} | TLS, "https://gateway:1"),
    ],
)
def test_it_is_on_this_machine_and_over_tls_where_that_is_on(monkeypatch, told, url):
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    assert env.gateway_url() == url
