"""Secrets at rest: sealed with the newest key, opened with any of them, so keys can be rotated."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class CannotOpen(Exception):
    """The token was sealed with a key we do not have, or was tampered with."""


def seal(text: str, keys: Sequence[str]) -> str:
    """Return a token that only the holders of a key can open. The first key seals."""
    return _ring(keys).encrypt(text.encode()).decode()


def open_token(token: str, keys: Sequence[str]) -> str:
    """Return the sealed text. Raises CannotOpen, which carries nothing of the token."""
    try:
        return _ring(keys).decrypt(token.encode()).decode()
    except (InvalidToken, UnicodeError):
        raise CannotOpen("no encryption key in PILOTDASH_ENCRYPTION_KEYS opens this") from None


def reseal(token: str, keys: Sequence[str]) -> str:
    """Return the token sealed again with the newest key. Raises CannotOpen."""
    return seal(open_token(token, keys), keys)


def _ring(keys: Sequence[str]) -> MultiFernet:
    """Raises ValueError where a key is not 32 bytes of URL-safe base64, or there is none."""
    return MultiFernet([Fernet(key) for key in keys])
