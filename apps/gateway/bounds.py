"""How large, deep and slow a request may be. Every one of these is the operator's to set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes, seconds, levels of nesting, and numbers of things.

    `json_values` counts the strings, keys, arrays, objects and commas of a large body: reading
    millions of them would hold up everybody's streams, and no real request has so many.
    """

    body_bytes: int = 10 << 20
    body_seconds: float = 30.0
    header_bytes: int = 32 << 10
    json_depth: int = 64
    json_values: int = 400_000
    messages: int = 2_000
    choices: int = 8


DEFAULT = Bounds()
