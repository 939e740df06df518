"""Prices of the genai-prices package, to prefill a form. They are never used unseen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

SOURCE: Final = "genai-prices"
TYPED: Final = "typed"
# The package knows this service by its former address only.
RENAMED: Final = ("//api.together.ai/", "//api.together.xyz/")


@dataclass(frozen=True, slots=True)
class KnownPrice:
    """USD per million tokens. `note` says what a single price leaves out."""

    input_usd: Decimal
    cached_usd: Decimal
    output_usd: Decimal
    note: str = ""


def known_price(base_url: str, model: str, *, now: datetime) -> KnownPrice | None:
    """Return what the provider at an address is known to charge for a model, or None."""
    # Half a second of import, which every process would pay at its start for this one form.
    from genai_prices.data_snapshot import get_snapshot

    address = f"{base_url}/".replace(*RENAMED)
    try:
        _, info = get_snapshot().find_provider_model(model, None, None, address)
    except LookupError:
        return None
    prices = info.get_prices(now)
    first, last = _plain(prices.input_mtok), _plain(prices.output_mtok)
    if first is None or last is None:
        return None
    cached = _plain(prices.cache_read_mtok)
    tiered = any(hasattr(part, "tiers") for part in (prices.input_mtok, prices.output_mtok))
    return KnownPrice(
        input_usd=first,
        cached_usd=first if cached is None else cached,
        output_usd=last,
        note="Long prompts cost more there; this is the price of short ones." if tiered else "",
    )


def source_of(told: Mapping[str, Any], base_url: str, model: str, *, now: datetime) -> str:
    """Return where prices come from: the list, or somebody's hand where one of them differs."""
    known = known_price(base_url, model, now=now)
    names = ("input_usd", "cached_usd", "output_usd")
    is_known = known is not None and all(told[name] == getattr(known, name) for name in names)
    return SOURCE if is_known else TYPED


def _plain(price: object) -> Decimal | None:
    """Return a price, or the first step of one that rises with the prompt's length."""
    amount = getattr(price, "base", price)
    return None if amount is None else Decimal(str(amount))
