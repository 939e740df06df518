"""How the gateway's contract names what the catalog holds."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from apps.catalog.models import Candidate, Price, Provider
from apps.gateway.contract import CandidateRoute, PriceRoute, ProviderRoute

NANO: Final = Decimal(10**9)


def provider_route(provider: Provider) -> ProviderRoute:
    return ProviderRoute(
        id=provider.id,
        slug=provider.slug,
        base_url=provider.base_url,
        credential=provider.credential,
        auth=provider.auth,
        driver=provider.driver,
        stream_usage=provider.stream_usage,
        ca_pem=provider.ca_pem,
        serves=tuple(provider.serves),
        most_stops=provider.most_stops,
    )


def candidate_route(
    candidate: Candidate, *, fallback: Candidate | None = None, prices: Sequence[Price] = ()
) -> CandidateRoute:
    """`prices` are those in force now and later ones; `fallback` is one that may be used now."""
    return CandidateRoute(
        id=candidate.id,
        slug=candidate.slug,
        provider_id=candidate.provider_id,
        upstream_model=candidate.upstream_model,
        state=candidate.state,
        fim_template=candidate.fim_template,
        fim_stops=tuple(candidate.fim_stops),
        fallback_id=fallback.id if fallback else None,
        prices=tuple(_price_route(price) for price in prices),
    )


def nano_usd(usd: Decimal) -> int:
    """Return US dollars as whole nano-USD, halves rounded up: the gateway counts in integers."""
    return int((usd * NANO).to_integral_value(ROUND_HALF_UP))


def _price_route(price: Price) -> PriceRoute:
    return PriceRoute(
        starts_at=price.valid_from,
        ends_at=price.valid_to,
        input=nano_usd(price.input_usd_per_mtok),
        cached=nano_usd(price.cached_usd_per_mtok),
        output=nano_usd(price.output_usd_per_mtok),
    )
