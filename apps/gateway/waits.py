"""How long somebody is told to wait before trying again, in the form of HTTP's Retry-After."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Final

from apps.gateway.asgi import JSON, Headers

# Clients wait as long as they are told before anybody reads the sentence.
LONGEST_WAIT_SECONDS: Final = 60
# How long to wait with a provider that is busy or starting a model and does not say it itself.
LATER_SECONDS: Final = 5
ASK_LATER: Final = (429, 503)
# OpenAI's packages would try again all the same.
DO_NOT_RETRY: Final = (b"x-should-retry", b"false")
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]*)?")


def seconds_in(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a Retry-After asks for, whichever form it has, or None."""
    told = headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(told):
        return float(told[:9])
    try:
        instant = parsedate_to_datetime(told)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        return max(0.0, (instant - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def error_headers(status: int, headers: Mapping[str, str], *, is_blind: bool) -> Headers:
    """Return the headers of an error that a provider answered with.

    What is no time at all is not passed on. How a time is spelled would tell whose it is, so that
    for blind aliases only its seconds are.
    """
    seconds = seconds_in(headers)
    if seconds is None:
        told = b"%d" % LATER_SECONDS if status in ASK_LATER else b""
    elif is_blind:
        told = b"%d" % ceil(seconds) if status in ASK_LATER else b""
    else:
        told = headers["retry-after"].encode("latin-1")
    if not told:
        return [JSON]
    out: Headers = [JSON, (b"retry-after", told)]
    # OpenAI's package for JavaScript would wait for hours if told so, and show nothing meanwhile.
    if (seconds or 0) > LONGEST_WAIT_SECONDS:
        out.append(DO_NOT_RETRY)
    return out
