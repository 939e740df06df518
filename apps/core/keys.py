"""The format of keys: a prefix and 40 characters of base62, the last six a CRC-32 of the rest.

The checksum lets a secret scanner recognise a leaked key and lets the gateway refuse a mistyped one
without looking anything up. Keys are stored as SHA-256 only: 202 bits of randomness need no salt.
"""

import hashlib
import secrets
import zlib
from typing import Final

DEVELOPER_PREFIX: Final = "pd_"
READER_PREFIX: Final = "pdr_"
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BODY_LENGTH: Final = 34
CHECKSUM_LENGTH: Final = 6
_ALLOWED: Final = frozenset(ALPHABET)


def new_key(prefix: str = DEVELOPER_PREFIX) -> str:
    """Return a fresh key."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(BODY_LENGTH))
    return prefix + body + checksum(body)


def checksum(body: str) -> str:
    """Return the CRC-32 of the body in base62, left-padded with zeros to six characters."""
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return digits.rjust(CHECKSUM_LENGTH, "0")


def is_well_formed(key: str) -> bool:
    """Tell whether the text can be a key at all; no look-up is needed for one that cannot."""
    prefix, separator, rest = key.partition("_")
    if prefix + separator not in (DEVELOPER_PREFIX, READER_PREFIX):
        return False
    if len(rest) != BODY_LENGTH + CHECKSUM_LENGTH or not _ALLOWED.issuperset(rest):
        return False
    return checksum(rest[:BODY_LENGTH]) == rest[BODY_LENGTH:]


def digest(key: str) -> str:
    """Return the hex SHA-256 under which a key is stored and looked up."""
    return hashlib.sha256(key.encode()).hexdigest()


def hint(key: str) -> str:
    """Return what may be shown of a key: enough to tell two apart, too little to use."""
    prefix = key[: key.index("_") + 1]
    return f"{prefix}…{key[-4:]}"
