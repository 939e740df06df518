"""How the gateway's contract names what the catalog holds."""

from apps.catalog.models import Candidate, Provider
from apps.gateway.contract import CandidateRoute, ProviderRoute


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
    )


def candidate_route(candidate: Candidate) -> CandidateRoute:
    return CandidateRoute(
        id=candidate.id,
        slug=candidate.slug,
        provider_id=candidate.provider_id,
        upstream_model=candidate.upstream_model,
        state=candidate.state,
        fim_template=candidate.fim_template,
        fim_stops=tuple(candidate.fim_stops),
    )
