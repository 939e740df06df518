"""What a token grants is what was put into it, for as long as it holds; nobody else makes one."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.internal_tokens import Ticket, derive_key, make_token, read_token

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
KEY = derive_key("a secret")
GRANTED = {
    "pilot_id": 1,
    "person_id": 31,
    "candidate_id": 11,
    "task": "chat",
    "alias": "compare",
    "expires_at": LATER,
}
TOKEN = make_token(KEY, **GRANTED)


def signed(payload: bytes) -> str:
    """A text with a good signature, whatever it says."""
    text = "pdi_" + base64.urlsafe_b64encode(payload).decode().rstrip("=")
    made = hmac.digest(KEY, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


def test_a_token_grants_what_was_put_into_it():
    assert TOKEN.startswith("pdi_")
    assert read_token(KEY, TOKEN, now=NOW) == Ticket(**GRANTED)


def test_the_key_is_not_the_secret_and_is_the_same_each_time():
    assert KEY == derive_key("a secret") != derive_key("another")
    assert KEY.hex() == "a384b83b802a287880f2245e19f2e222e3fb1464364b287a9fbd020838e2b50c"


@pytest.mark.parametrize(
    ("now", "holds"),
    [(LATER - timedelta(microseconds=1), True), (LATER, False), (LATER + timedelta(1), False)],
)
def test_a_token_holds_until_it_expires(now, holds):
    assert (read_token(KEY, TOKEN, now=now) is not None) == holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pdi_",
        "pdi_.",
        TOKEN[:-1],
        TOKEN + "A",
        TOKEN.partition(".")[0],
        TOKEN.replace(".", ".."),
        "pd_" + TOKEN[4:],
        TOKEN.lower(),
        make_token(derive_key("another"), **GRANTED),
        make_token(b"", **GRANTED),
        # Signed, but nothing that any release has written.
        signed(b"{}"),
        signed(b"[]"),
        signed(b"not JSON"),
        signed(b"\xff"),
        signed(b'{"pilot_id":"x","person_id":1,"candidate_id":1,"expires_at":9999999999}'),
        signed(
            b'{"pilot_id":1,"person_id":1,"candidate_id":1,"expires_at":1e99,"task":"","alias":""}'
        ),
        make_token(KEY, **(GRANTED | {"alias": "x" * 1_000})),  # longer than any of ours
    ],
)
def test_what_is_no_token_of_ours_grants_nothing(text):
    assert read_token(KEY, text, now=NOW) is None


@given(place=st.integers(min_value=0, max_value=len(TOKEN) - 1), char=st.characters())
def test_a_token_with_any_letter_changed_grants_nothing_else(place, char):
    changed = TOKEN[:place] + char + TOKEN[place + 1 :]

    assert (read_token(KEY, changed, now=NOW) is None) == (changed != TOKEN)


@given(st.text())
def test_no_text_is_too_odd_to_be_refused(text):
    assert read_token(KEY, text, now=NOW) is None
    assert read_token(KEY, "pdi_" + text, now=NOW) is None
