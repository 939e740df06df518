"""Token counts where the provider gave none, from bytes; each candidate's ratio is learned.

Calls whose usage is known teach how many bytes a token has. Before the first one, four. Those that
set no cap also teach how much a candidate usually writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

FIRST_GUESS: Final = 4.0
LEARNING_RATE: Final = 0.1
# Outside these a count says more about a server's bug than about its tokenizer.
PLAUSIBLE: Final = (0.5, 40.0)


@dataclass(slots=True)
class _Ratio:
    prompt: float = FIRST_GUESS
    completion: float = FIRST_GUESS
    prompt_known: bool = False
    completion_known: bool = False
    # Tokens of an answer, on average of late.
    answer: float = 0.0


class Calibration:
    """Bytes per token for each candidate, of this process."""

    def __init__(self) -> None:
        self._ratios: dict[int, _Ratio] = {}

    def learn(
        self,
        candidate: int,
        *,
        prompt: tuple[int, int | None],
        completion: tuple[int, int | None],
        is_capped: bool = False,
    ) -> None:
        """Take (bytes, tokens) of a call whose tokens the provider stated.

        One with a cap (`is_capped`) says nothing of what is written without one.
        """
        ratio = self._ratios.setdefault(candidate, _Ratio())
        if (seen := _ratio(*prompt)) is not None:
            ratio.prompt = _moved(ratio.prompt, seen, known=ratio.prompt_known)
            ratio.prompt_known = True
        if (seen := _ratio(*completion)) is not None:
            ratio.completion = _moved(ratio.completion, seen, known=ratio.completion_known)
            ratio.completion_known = True
        if (tokens := completion[1]) and not is_capped:
            ratio.answer = _moved(ratio.answer or tokens, tokens, known=True)

    def prompt_tokens(self, candidate: int, size: int) -> int:
        return round(size / self._ratios.get(candidate, _Ratio()).prompt)

    def expected_completion(self, candidate: int) -> int | None:
        """Return how many tokens an answer without a cap usually has, rounded up, or None."""
        ratio = self._ratios.get(candidate)
        return ceil(ratio.answer) if ratio is not None and ratio.answer else None

    def completion_tokens(self, candidate: int, size: int, most: int | None) -> int:
        """Return the estimate, never above what the developer allowed to be generated."""
        tokens = round(size / self._ratios.get(candidate, _Ratio()).completion)
        tokens = max(tokens, 1) if size else 0
        return tokens if most is None else min(tokens, most)


def _ratio(size: int, tokens: int | None) -> float | None:
    if not tokens or not size:
        return None
    ratio = size / tokens
    return ratio if PLAUSIBLE[0] <= ratio <= PLAUSIBLE[1] else None


def _moved(old: float, seen: float, *, known: bool) -> float:
    return old + LEARNING_RATE * (seen - old) if known else seen
