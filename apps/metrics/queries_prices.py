"""What candidates cost by their list: prices per million tokens and machines by the hour."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from apps.catalog.models import HostingInterval, Price


@dataclass(frozen=True, slots=True)
class CostTerms:
    """A candidate's prices and its machines, oldest first."""

    prices: tuple[Price, ...]
    hosting: tuple[HostingInterval, ...]

    @property
    def paid_prices(self) -> list[Price]:
        """Prices that cost something, newest first."""
        return [price for price in reversed(self.prices) if not is_free(price)]

    @property
    def newest_hosting(self) -> list[HostingInterval]:
        return list(reversed(self.hosting))

    @property
    def price(self) -> Price | None:
        """The newest price that says something: machines come with one of zero."""
        newest = self.prices[-1] if self.prices else None
        return newest if newest and newest.valid_to is None and not is_free(newest) else None

    @property
    def machines(self) -> HostingInterval | None:
        newest = self.hosting[-1] if self.hosting else None
        return newest if newest and newest.ended_at is None else None


def is_free(price: Price) -> bool:
    return not (price.input_usd_per_mtok or price.cached_usd_per_mtok or price.output_usd_per_mtok)


def cost_terms(candidate_ids: Iterable[int]) -> dict[int, CostTerms]:
    """Return each candidate's prices and machines, now and before."""
    ids = list(candidate_ids)
    prices: dict[int, list[Price]] = defaultdict(list)
    hosting: dict[int, list[HostingInterval]] = defaultdict(list)
    in_order = Price.objects.filter(candidate_id__in=ids).order_by("valid_from", "id")
    for price in in_order:
        prices[price.candidate_id].append(price)
    machines = HostingInterval.objects.filter(candidate_id__in=ids)
    for interval in machines.order_by("started_at", "id"):
        hosting[interval.candidate_id].append(interval)
    return {key: CostTerms(tuple(prices[key]), tuple(hosting[key])) for key in ids}
