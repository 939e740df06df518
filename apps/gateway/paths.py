"""Paths that are nobody's, and what those are told who meant another."""

from __future__ import annotations

from typing import Final

from apps.gateway.contract import ENDPOINTS
from apps.gateway.errors import Refusal

# Whose clients look for one word more in an error, and for one header more.
ANTHROPIC_PATHS: Final = ("/messages", "/messages/count_tokens")
BASES: Final = ("v1", "t", "ingest")
# The pages have nothing at these, and programs that leave out /v1 want no page.
_FORGOTTEN_V1: Final = frozenset(f"/{path}" for path in (*ENDPOINTS, "models"))


def is_misspelled(path: str) -> bool:
    """Tell whether a path that is not the API's was meant to be; programs want no page there."""
    first = path.lstrip("/").partition("/")[0]
    is_doubled = path.startswith("//") and first in BASES
    is_shouted = first not in BASES and first.lower() in BASES
    is_short = path.rstrip("/") in _FORGOTTEN_V1 or path.startswith("/models/")
    return is_doubled or is_shouted or is_short or path in ("/v1", "/t")


def unknown_path(path: str, hint: str = "") -> Refusal:
    return Refusal(404, "unknown_path", f"There is nothing at {path[:200]}.{hint}")


def misspelled(path: str) -> Refusal:
    return unknown_path(path, hint=" The base URL of PilotDash ends in /v1.")


def wrong_method(*right: str) -> Refusal:
    """Return the refusal of a method; the first of the right ones is named in the sentence."""
    refusal = Refusal(405, "unknown_path", f"Use {right[0]} here.", code="method_not_allowed")
    return refusal.with_headers([(b"allow", ", ".join(right).encode())])
