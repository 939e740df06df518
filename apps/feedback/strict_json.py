"""JSON as it should be: one object, each key once, no NaN, not too deep. Pure.

What is read this way is small. The gateway has a reader of its own, made for megabytes.
"""

import json
from typing import Any, Final, NoReturn

MOST_DEPTH: Final = 64


class NotJson(ValueError):
    """The bytes are not such an object. The message is a sentence for whoever sent them."""


def read_object(raw: bytes) -> dict[str, Any]:
    """Return the object. Raises NotJson, also on keys that stand in one object twice."""
    try:
        value = _DECODER.decode(raw.decode())
    except NotJson:
        raise
    except RecursionError:
        raise NotJson(_TOO_DEEP) from None
    except ValueError:  # no UTF-8, no JSON, or a number of thousands of digits
        raise NotJson("The body is not JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise NotJson("The body is a JSON object.")
    if _is_deeper(value, MOST_DEPTH):
        raise NotJson(_TOO_DEEP)
    return value


_TOO_DEEP: Final = f"The body is nested deeper than {MOST_DEPTH} levels."


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJson("A key stands in one object of the body twice.")
    return found


def _refuse(name: str) -> NoReturn:
    raise NotJson(f"{name} is no number of JSON.")


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)
