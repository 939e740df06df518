"""What the gateway knows, built from the database and published as one immutable table."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Final

import redis
from django.db import transaction
from django.db.models import F, Q

from apps.catalog.models import Candidate, CandidateState, Price, Provider
from apps.catalog.routes import candidate_route, nano_usd, provider_route
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
    LimitRoute,
    PilotRoute,
    ProviderRoute,
    RouteTable,
)
from apps.pilots.models import Key, Limit, LimitPeriod, LimitScope, Pilot, Trial

# So long after a pilot was closed its keys are still answered with a sentence that says so; after
# that they are unknown keys.
CLOSED_KEPT: Final = timedelta(days=30)
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
    pilots = _pilot_routes(now)
    return RouteTable(
        version=version,
        built_at=now,
        keys=_key_routes(now, pilots),
        pilots=pilots,
        candidates=_candidate_routes(now),
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


def _pilot_routes(now: datetime) -> dict[int, PilotRoute]:
    aliases: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for pilot_id, alias, candidate_id in (
        Trial.objects.filter(dropped_at__isnull=True, candidate__provider__retired_at__isnull=True)
        .exclude(candidate__state=CandidateState.RETIRED)
        .order_by("id")
        .values_list("pilot_id", "alias", "candidate_id")
    ):
        aliases[pilot_id][alias] = candidate_id
    pilots = Pilot.objects.filter(
        Q(closed_at__isnull=True) | Q(closed_at__gt=now - CLOSED_KEPT), started_at__isnull=False
    )
    limits = _limit_routes()
    return {
        pilot.id: PilotRoute(
            id=pilot.id,
            slug=pilot.slug,
            opens_at=pilot.period.start,
            closes_at=pilot.period.end,
            aliases=aliases[pilot.id],
            zone=pilot.zone,
            limits=_with_budget(pilot, limits[pilot.id]),
        )
        for pilot in pilots.order_by("id")
    }


def _limit_routes() -> defaultdict[int, list[LimitRoute]]:
    """By pilot. Limits of revoked keys and of people who left would only make the table longer."""
    routes: defaultdict[int, list[LimitRoute]] = defaultdict(list)
    limits = (
        Limit.objects.filter(key__revoked_at__isnull=True, enrollment__left_at__isnull=True)
        .annotate(person=F("enrollment__person_id"))
        .order_by("id")
    )
    for limit in limits:
        routes[limit.pilot_id].append(
            LimitRoute(
                scope=limit.scope,
                id=limit.key_id or limit.person or limit.candidate_id,
                requests_per_minute=limit.requests_per_minute,
                tokens_per_minute=limit.tokens_per_minute,
                at_once=limit.at_once,
                nano_usd=None if limit.usd is None else nano_usd(limit.usd),
                period=limit.period,
                is_hard=limit.is_hard,
                set_at=_ms(limit.money_since) if limit.usd is not None else 0,
            )
        )
    return routes


def _with_budget(pilot: Pilot, limits: list[LimitRoute]) -> tuple[LimitRoute, ...]:
    """A pilot's budget is a soft limit on all of it, unless money is limited there already."""
    whole = next((each for each in limits if each.scope == LimitScope.PILOT), None)
    if pilot.budget_usd is None or (whole is not None and whole.nano_usd is not None):
        return tuple(limits)
    budget = replace(
        whole or LimitRoute(scope=LimitScope.PILOT.value),
        nano_usd=nano_usd(pilot.budget_usd),
        period=LimitPeriod.PILOT.value,
        is_hard=False,
        set_at=_ms(pilot.budget_since or pilot.created_at),
    )
    return (*(each for each in limits if each is not whole), budget)


def _ms(at: datetime | None) -> int:
    return 0 if at is None else int(at.timestamp() * 1000)


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
