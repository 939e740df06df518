"""Every variable is read in pilotdash/env.py, and .env.example names every one that is."""

import re
from pathlib import Path

import pytest

from pilotdash import env

ROOT = Path(__file__).parent.parent
READERS = re.compile(r'(?:text|flag|integer|names)\(\s*"([A-Z_]+)"')


def test_every_variable_stands_in_the_example():
    source = (ROOT / "pilotdash/env.py").read_text()
    read = set(READERS.findall(source)) | {"OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"}

    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert named == read


def test_sums_of_money_reach_as_far_back_as_the_gateway_lets_an_answer_take(settings):
    assert env.gateway_limits().stream_seconds == settings.LONGEST_ANSWER_SECONDS == 900


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("SECRET_KEY", "", env.secret_key),
        ("DATABASE_URL", " ", env.database_url),
        ("PILOTDASH_ENCRYPTION_KEYS", ",", env.encryption_keys),
        ("PORT", "eighty", env.port),
        ("PORT", "70000", env.port),
        ("SITE_URL", "pilot.example", env.site_url),
        ("PASSWORD_SIGN_IN", "perhaps", env.password_sign_in),
        ("PASSWORD_SIGN_IN", "off", env.password_sign_in),  # and no single sign-on
        ("TLS_CERT_FILE", "cert.pem", env.tls_files),
        ("OIDC_ISSUER", "https://login.example", env.oidc),
    ],
)
def test_an_unusable_variable_fails_by_name(monkeypatch, name, value, read):
    monkeypatch.setenv(name, value)

    with pytest.raises(env.Misconfigured, match=name):
        read()
