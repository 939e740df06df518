"""Known providers and models, to prefill forms. Everything in them may be changed by hand."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from apps.catalog.models import Auth, Residence, StreamUsage
from apps.gateway.contract import SERVABLE, SERVED_BY_MOST

FILE: Final = Path(__file__).with_name("presets.toml")
GROUPS: Final = {
    "api": "Paid by the token",
    "cloud": "In your cloud account",
    "machine": "Engines on your own machines",
    "desk": "On one computer",
}


@dataclass(frozen=True, slots=True)
class ProviderPreset:
    """What is known of a kind of provider."""

    slug: str
    name: str
    group: str
    base_url: str
    auth: str
    residence: str
    note: str
    stream_usage: str = StreamUsage.ON_REQUEST.value
    by_the_hour: bool = False
    serves: Sequence[str] = SERVED_BY_MOST
    most_stops: int = 0

    def __post_init__(self) -> None:
        assert self.group in GROUPS, self.slug
        assert self.auth in Auth.values, self.slug
        assert self.residence in Residence.values, self.slug
        assert self.stream_usage in StreamUsage.values, self.slug
        assert set(self.serves) <= set(SERVABLE), self.slug


@dataclass(frozen=True, slots=True)
class FimPreset:
    """How a family of models wants a prompt with a hole, and where it has to stop."""

    template: str
    stops: tuple[str, ...]


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def provider_presets() -> dict[str, ProviderPreset]:
    """Return all presets by slug, in the file's order."""
    return {row["slug"]: ProviderPreset(**row) for row in _file()["provider"]}


def presets_by_group() -> list[tuple[str, list[ProviderPreset]]]:
    """Return the presets under the words of their groups, by name."""
    presets = sorted(provider_presets().values(), key=lambda preset: preset.name.lower())
    return [
        (words, [preset for preset in presets if preset.group == group])
        for group, words in GROUPS.items()
    ]


def fim_of(model: str) -> FimPreset | None:
    """Return how a model wants fill-in-the-middle, or None where that is not known."""
    row = _matching("fim", model)
    return FimPreset(row["template"], tuple(row["stops"])) if row else None


def context_tokens_of(model: str) -> int | None:
    """Return how many tokens a model's context holds, or None where that is not known."""
    row = _matching("context", model)
    return int(row["tokens"]) if row else None


def _matching(kind: str, model: str) -> dict[str, Any] | None:
    name = model.lower()
    rows: list[dict[str, Any]] = _file()[kind]
    return next((row for row in rows if any(part in name for part in row["match"])), None)
