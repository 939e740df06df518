"""Read JSON as it should be, and failing that, as some servers write it.

Inference servers write NaN into `logprobs` and cut emoji in half. What is read here only counts;
what is relayed are the bytes that came.
"""

from __future__ import annotations

import json
import re
from typing import Final

import orjson

from apps.gateway.scanner import Malformed

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
# Longer integers count nothing of ours, and Python refuses to read the longest.
_MOST_DIGITS: Final = 19


def read_json(text: bytes) -> object:
    """Return the value. Raises Malformed.

    Also read are NaN, Infinity, numbers of any size, halves of surrogate pairs, control characters
    in strings, a byte order mark, and bytes that are not UTF-8.
    """
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    else:
        return value
    # A half of a pair would break whatever writes the text again.
    plain = _SURROGATE.sub(r"\\ufffd", text.decode("utf-8-sig", "replace"))
    try:
        value = _READER.decode(plain)
    except (ValueError, RecursionError):
        raise Malformed("The text is not JSON.") from None
    return value


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


_READER: Final = json.JSONDecoder(strict=False, parse_int=_integer)
