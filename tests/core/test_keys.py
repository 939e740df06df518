import hashlib
import re

import pytest

from apps.core.keys import READER_PREFIX, checksum, digest, hint, is_well_formed, new_key

KEY = "pd_" + "a" * 34 + checksum("a" * 34)


def test_new_keys_are_well_formed_and_differ():
    keys = {new_key() for _ in range(50)} | {new_key(READER_PREFIX)}

    assert len(keys) == 51
    assert all(is_well_formed(key) for key in keys)
    assert all(re.fullmatch(r"pdr?_[0-9A-Za-z]{40}", key) for key in keys)


def test_checksum_is_the_crc_32_in_base_62():
    # zlib.crc32(b"123456789") is the standard's check value 0xCBF43926.
    assert checksum("123456789") == "3jZRME"
    assert len(checksum("")) == 6


@pytest.mark.parametrize(
    "key",
    [
        "",
        "pd_",
        "sk-" + KEY[3:],
        "pdx_" + KEY[3:],
        KEY[:-1],
        KEY + "0",
        KEY[:-1] + ("0" if KEY[-1] != "0" else "1"),
        "pd_" + "b" + KEY[4:],
        KEY[:20] + "é" + KEY[21:],
        KEY[:20] + "_" + KEY[21:],
    ],
)
def test_mistyped_keys_are_not_well_formed(key):
    assert not is_well_formed(key)


def test_stored_form_and_hint():
    assert digest(KEY) == hashlib.sha256(KEY.encode()).hexdigest()
    assert hint(KEY) == "pd_…" + KEY[-4:]
