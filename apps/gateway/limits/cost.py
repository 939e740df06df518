"""What a call may cost, and what it cost, in nano-USD: the same rules as the database's.

Here they only serve to stop in time. What pages show is computed where calls are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.gateway.contract import CallRecord, CandidateRoute, PriceRoute
from apps.gateway.estimate import Calibration
from apps.gateway.request import Request
from apps.gateway.usage_tap import MOST_TOKENS

WITHOUT_ANSWER: Final = ("embeddings", "rerank", "messages/count_tokens")
# Tokens that a request must have room for in its minute, where it allows itself many more.
EXPECTED_TOKENS: Final = 1_024
# A million dollars: what the scripts still count exactly, and no call costs.
MOST_NANO_USD: Final = 10**15
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Need:
    """What is taken from limits: tokens, and money in nano-USD."""

    tokens: int
    nano_usd: int


NOTHING: Final = Need(0, 0)


def price_at(candidate: CandidateRoute, at: datetime) -> PriceRoute | None:
    """Return the price in force at an instant, or None where none is known."""
    for price in candidate.prices:
        if price.starts_at <= at and (price.ends_at is None or at < price.ends_at):
            return price
    return None


def expected(
    candidate: CandidateRoute,
    request: Request,
    endpoint: str,
    calibration: Calibration,
    now: datetime,
) -> Need:
    """Return what a call may need: its prompt as estimated, and all the tokens it allows itself.

    One that sets no cap is expected to write as much as the candidate usually does.
    """
    prompt = calibration.prompt_tokens(candidate.id, len(request.body))
    most = 0
    if endpoint not in WITHOUT_ANSWER:
        usual = calibration.expected_completion(candidate.id) or EXPECTED_TOKENS
        # A request may ask for any number of tokens; no answer has more than can be stated.
        most = min(request.most_tokens or usual, MOST_TOKENS)
    tokens = prompt + min(most, EXPECTED_TOKENS)
    if not candidate.prices or (price := price_at(candidate, now)) is None:
        return Need(tokens, 0)
    return Need(tokens, _nano_usd(price, prompt, 0, most))


def used(candidate: CandidateRoute, record: CallRecord) -> Need:
    """Return what a call has used of limits."""
    prompt, completion = record.prompt_tokens or 0, record.completion_tokens or 0
    tokens = min(prompt + completion, MOST_TOKENS)
    if not tokens or not candidate.prices:
        return Need(tokens, 0)
    if (price := price_at(candidate, record.admitted_at)) is None:
        return Need(tokens, 0)
    return Need(tokens, _nano_usd(price, prompt, record.cached_tokens or 0, completion))


def _nano_usd(price: PriceRoute, prompt: int, cached: int, completion: int) -> int:
    exact = (prompt - cached) * price.input + cached * price.cached + completion * price.output
    return min(-(-exact // _MILLION), MOST_NANO_USD)
