"""Reads of dead letters: what reached us and could not become a call."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apps.usage.models import DeadLetter

PAGE: Final = 25
# Longer records are shown by their beginning: a poisoned one may be of any size.
SHOWN_CHARACTERS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as the page shows it; `text` is the record's beginning, readable."""

    letter: DeadLetter
    text: str
    size: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class LetterPage:
    """One page, newest first; `older` is the id that the next one starts below."""

    letters: Sequence[Letter]
    older: int | None


def open_count() -> int:
    """Return how many dead letters nobody has seen to."""
    return DeadLetter.objects.filter(settled_at=None).count()


def letter_page(*, settled: bool, before: int | None = None, size: int = PAGE) -> LetterPage:
    letters = DeadLetter.objects.filter(settled_at__isnull=not settled)
    if before is not None:
        letters = letters.filter(id__lt=before)
    found = list(letters.order_by("-id")[: size + 1])
    older = found[size - 1].id if len(found) > size else None
    return LetterPage([_shown(letter) for letter in found[:size]], older)


def _shown(letter: DeadLetter) -> Letter:
    raw = bytes(letter.raw)
    text = readable(raw)
    cut = len(text) > SHOWN_CHARACTERS
    return Letter(letter, text[:SHOWN_CHARACTERS], len(raw), cut)


def readable(raw: bytes) -> str:
    """Return a record as indented JSON, or as the text that its bytes are closest to."""
    try:
        # What is long is not worth the work: only its beginning is shown.
        if len(raw) <= 4 * SHOWN_CHARACTERS:
            return json.dumps(json.loads(raw), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass
    return raw[: 4 * SHOWN_CHARACTERS].decode(errors="replace").replace("\0", "\ufffd")
