import itertools

import pytest

from pilotdash import parts


def options(command: tuple[str, ...]) -> dict[str, str]:
    return dict(itertools.pairwise(command))


def test_the_gateway_speaks_tls_when_it_is_given_a_certificate(monkeypatch):
    monkeypatch.setenv("TLS_CERT_FILE", "/etc/a certificate.pem")
    monkeypatch.setenv("TLS_KEY_FILE", "/etc/key.pem")

    given = options(parts.command("gateway"))

    assert (given["--ssl-certificate"], given["--ssl-keyfile"], given["--ssl-protocol-min"]) == (
        "/etc/a certificate.pem",
        "/etc/key.pem",
        "tls1.2",
    )


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://127.0.0.1:8123", "127.0.0.1", "8123"),
        ("http://localhost:8001", "127.0.0.1", "8001"),
        ("http://web:8001", "0.0.0.0", "8001"),  # another container reaches it by this name
    ],
)
def test_pages_listen_where_the_gateway_looks_for_them(monkeypatch, url, host, port):
    monkeypatch.setenv("PILOTDASH_WEB_URL", url)

    given = options(parts.command("web"))

    assert (given["--host"], given["--port"]) == (host, port)


def test_brackets_of_an_ipv6_address_are_not_part_of_it(monkeypatch):
    monkeypatch.setenv("HOST", "[::1]")

    assert options(parts.command("gateway"))["--host"] == "::1"


def test_an_unknown_program_is_none():
    with pytest.raises(KeyError):
        parts.command("celerybeat")
