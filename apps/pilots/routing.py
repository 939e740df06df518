"""What the gateway knows, built from the database and published as one immutable table."""

from collections import defaultdict
from datetime import datetime
from functools import cache
from typing import Final

import redis
from django.db import transaction

from apps.catalog.models import Candidate, CandidateState, Price, Provider
from apps.catalog.routes import candidate_route, provider_route
from apps.changes.actions import routes_changed
from apps.changes.models import RoutesVersion
from apps.core.broker import connect_broker
from apps.gateway.contract import (
    ROUTES_CHANNEL,
    ROUTES_FORMAT,
    ROUTES_KEY,
    ROUTES_VERSION_KEY,
    CandidateRoute,
    KeyRoute,
    PilotRoute,
    ProviderRoute,
    RouteTable,
)
from apps.pilots.models import Key
from apps.pilots.pilot_routes import pilot_routes

TIMEOUT_S: Final = 2.0

# Publishers race, and the one that read the older state may come last: it must change nothing.
PUBLISH: Final = """
local published = tonumber(redis.call('GET', KEYS[2]) or '-1') or -1
if published > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[2])
return 1
"""


def build_route_table(now: datetime) -> RouteTable:
    """Return everything the gateway may serve at this instant, in a fixed number of queries.

    The version is read before all else: what a concurrent change adds later can only make the
    table newer than its version, never older.
    """
    version = routes_version()
    candidates = _candidate_routes(now)
    pilots = pilot_routes(now, candidates)
    return RouteTable(
        version=version,
        built_at=now,
        keys=_key_routes(now, pilots),
        pilots=pilots,
        candidates=candidates,
        providers=_provider_routes(),
    )


def routes_version() -> int:
    """Return the version that the database describes; 0 before the first change."""
    return RoutesVersion.objects.filter(id=1).values_list("version", flat=True).first() or 0


def publish(now: datetime) -> bool:
    """Hand the present table to every gateway. False when a newer one is already out.

    Raises redis.RedisError when the broker is away.
    """
    table = build_route_table(now)
    return bool(
        _redis().eval(
            PUBLISH,
            2,
            ROUTES_KEY,
            ROUTES_VERSION_KEY,
            table.to_json(),
            str(table.version),
            ROUTES_CHANNEL,
        )
    )


def publish_if_stale(now: datetime) -> bool:
    """Publish unless the broker holds the database's version in this release's format.

    A broker that is ahead of the database means that the database was restored or made anew: its
    version is raised above, or gateways would keep the old table for ever.
    """
    published = int(_redis().get(ROUTES_VERSION_KEY) or -1)
    version = routes_version()
    if published > version:
        with transaction.atomic():
            RoutesVersion.objects.get_or_create(id=1)
            RoutesVersion.objects.filter(id=1, version__lt=published).update(version=published)
            routes_changed()
        return True
    if published == version and _is_published(version):
        return False
    return publish(now)


def _is_published(version: int) -> bool:
    start = f'{{"format":{ROUTES_FORMAT},"version":{version},'.encode()
    return _redis().getrange(ROUTES_KEY, 0, len(start) - 1) == start


@cache
def _redis() -> "redis.Redis":
    return connect_broker(timeout_s=TIMEOUT_S, health_check_s=30)


def _provider_routes() -> dict[int, ProviderRoute]:
    providers = Provider.objects.filter(retired_at__isnull=True).order_by("id")
    return {provider.id: provider_route(provider) for provider in providers}


def _candidate_routes(now: datetime) -> dict[int, CandidateRoute]:
    unretired = {
        candidate.id: candidate
        for candidate in Candidate.objects.filter(provider__retired_at__isnull=True)
        .exclude(state=CandidateState.RETIRED)
        .select_related("provider")
        .order_by("id")
    }
    prices: defaultdict[int, list[Price]] = defaultdict(list)
    for price in Price.objects.not_over(at=now).order_by("valid_from", "id"):
        prices[price.candidate_id].append(price)
    return {
        candidate.id: candidate_route(
            candidate, fallback=_usable_fallback(candidate, unretired), prices=prices[candidate.id]
        )
        for candidate in unretired.values()
    }


def _usable_fallback(candidate: Candidate, unretired: dict[int, Candidate]) -> Candidate | None:
    """Whatever was true when the fallback was chosen: code goes to no other class of place."""
    fallback = unretired.get(candidate.fallback_id or 0)
    if fallback is None or fallback.provider.residence != candidate.provider.residence:
        return None
    return fallback


def _key_routes(now: datetime, pilots: dict[int, PilotRoute]) -> dict[str, KeyRoute]:
    """Only keys in force: not revoked, not expired, of someone who takes part and may sign in."""
    keys = (
        Key.objects.filter(
            revoked_at__isnull=True,
            expires_at__gt=now,
            enrollment__left_at__isnull=True,
            enrollment__pilot__in=list(pilots),
            enrollment__person__erased_at__isnull=True,
        )
        # A person without a user has not signed up yet, or is a program's.
        .exclude(enrollment__person__user__is_active=False)
        .order_by("id")
        .values_list(
            "id",
            "enrollment__person_id",
            "enrollment__pilot_id",
            "kind",
            "expires_at",
            "digest",
        )
    )
    return {
        digest: KeyRoute(
            id=id_, person_id=person_id, pilot_id=pilot_id, kind=kind, expires_at=expires_at
        )
        for id_, person_id, pilot_id, kind, expires_at, digest in keys
    }
