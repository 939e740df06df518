import pytest
from cryptography.fernet import Fernet

from apps.core.secrets import CannotOpen, open_token, reseal, seal

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_what_is_sealed_can_be_opened():
    assert open_token(seal("sk-ü", [NEW]), [NEW]) == "sk-ü"


def test_an_older_key_still_opens_and_the_newest_seals():
    token = seal("sk-1", [OLD])

    assert open_token(token, [NEW, OLD]) == "sk-1"
    assert open_token(reseal(token, [NEW, OLD]), [NEW]) == "sk-1"


@pytest.mark.parametrize(
    "token",
    ["", "rubbish", "ünreadable", seal("sk-secret", [OLD])],
    ids=("empty", "rubbish", "letters", "other key"),
)
def test_what_cannot_be_opened_says_so_without_the_token(token):
    with pytest.raises(CannotOpen) as raised:
        open_token(token, [NEW])

    assert str(raised.value) == "no encryption key in PILOTDASH_ENCRYPTION_KEYS opens this"


def test_a_malformed_key_is_an_error_at_once():
    with pytest.raises(ValueError, match="32 url-safe base64"):
        seal("x", ["short"])
