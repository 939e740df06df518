"""Reads of the catalog for its pages."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Prefetch, Q, QuerySet

from apps.catalog.models import Candidate, CandidateState, HostingInterval, Price, Provider


@dataclass(frozen=True, slots=True)
class ProviderRow:
    provider: Provider
    candidates: int


def provider_rows() -> list[ProviderRow]:
    """Return every provider with its unretired candidates counted, retired providers last."""
    unretired = Count("candidates", filter=~Q(candidates__state=CandidateState.RETIRED))
    providers = Provider.objects.annotate(candidate_count=unretired)
    rows = providers.order_by("name", "id")
    return sorted(
        (ProviderRow(provider, provider.candidate_count) for provider in rows),
        key=lambda row: row.provider.retired_at is not None,
    )


def standing_providers() -> QuerySet[Provider]:
    return Provider.objects.filter(retired_at__isnull=True).order_by("name", "id")


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """A candidate with the price in force and the machines that run now."""

    candidate: Candidate
    price: Price | None
    hosting: HostingInterval | None

    @property
    def is_uncosted(self) -> bool:
        is_retired = self.candidate.state == CandidateState.RETIRED
        return self.price is None and self.hosting is None and not is_retired

    @property
    def is_by_the_hour(self) -> bool:
        return self.price is None and self.hosting is not None


def candidate_rows(*, now: datetime, provider: Provider | None = None) -> list[CandidateRow]:
    """Return candidates in order of registration, those of one provider where one is given."""
    candidates = Candidate.objects.select_related("provider").prefetch_related(
        Prefetch("prices", Price.objects.in_force(at=now), to_attr="prices_now"),
        Prefetch(
            "hosting_intervals",
            HostingInterval.objects.filter(ended_at__isnull=True, started_at__lte=now),
            to_attr="hosting_now",
        ),
    )
    if provider is not None:
        candidates = candidates.filter(provider=provider)
    return [
        CandidateRow(
            candidate,
            next(iter(getattr(candidate, "prices_now", [])), None),
            next(iter(getattr(candidate, "hosting_now", [])), None),
        )
        for candidate in candidates.order_by("position")
    ]


def prices_of(candidate: Candidate) -> list[Price]:
    """Return a candidate's prices, newest first."""
    return list(candidate.prices.order_by("-valid_from", "-id"))


def hosting_of(candidate: Candidate) -> list[HostingInterval]:
    """Return when a candidate's machines ran, newest first."""
    return list(candidate.hosting_intervals.order_by("-started_at", "-id"))


def fallbacks_for(candidate: Candidate) -> QuerySet[Candidate]:
    """Return who may answer in a candidate's place: code goes to the same class of place."""
    others = Candidate.objects.filter(
        provider__residence=candidate.provider.residence, provider__retired_at__isnull=True
    ).exclude(state=CandidateState.RETIRED)
    return others.exclude(id=candidate.id).select_related("provider").order_by("position")
