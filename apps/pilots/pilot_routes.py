"""Pilots as the gateway knows them: whom names stand for, limits, and what comes after the end."""

from collections import defaultdict
from collections.abc import Container
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q

from apps.catalog.models import Candidate, CandidateState
from apps.catalog.routes import nano_usd
from apps.core.rotation import era_of, working_day
from apps.gateway.contract import LimitRoute, PilotRoute, RotationRoute
from apps.pilots.actions import KEY_LASTS
from apps.pilots.arms import elsewhere
from apps.pilots.models import (
    AfterClose,
    Limit,
    LimitPeriod,
    LimitScope,
    Pilot,
    Rotation,
    Swap,
    Trial,
)

# So long after a pilot was closed its keys are still answered with a sentence that says so; after
# that they are unknown keys.
CLOSED_KEPT: Final = timedelta(days=30)
# Where somebody answers after the end, keys go on for as long as any key can last.
AFTER_KEPT: Final = KEY_LASTS
# No working day that still goes on anywhere began so long ago: Friday's lasts to Monday morning.
LONGEST_DAY: Final = timedelta(days=4)


def pilot_routes(now: datetime, candidates: Container[int]) -> dict[int, PilotRoute]:
    """Return pilots by id, in a fixed number of queries. `candidates` can be reached at all."""
    pilots = Pilot.objects.filter(
        Q(closed_at__isnull=True)
        | Q(closed_at__gt=now - CLOSED_KEPT)
        | ~Q(after_close=AfterClose.GONE) & Q(closed_at__gt=now - AFTER_KEPT),
        started_at__isnull=False,
    )
    limits = _limit_routes()
    rotations = _rotation_routes(now)
    trials = _trials()
    routes = {}
    for pilot in pilots.order_by("id"):
        rotating, blind = rotations[pilot.id]
        route = PilotRoute(
            id=pilot.id,
            slug=pilot.slug,
            opens_at=pilot.period.start,
            closes_at=_end(pilot),
            # Beside a name of its own, everybody could tell how it writes.
            aliases={
                alias: candidate_id
                for alias, candidate_id in trials[pilot.id].items()
                if candidate_id not in rotating
            },
            blind=blind,
            zone=pilot.zone,
            limits=_with_budget(pilot, limits[pilot.id]),
            closing_sentence=pilot.closing_sentence,
        )
        routes[pilot.id] = replace(route, after=_after(pilot, route, candidates))
    return routes


def _end(pilot: Pilot) -> datetime:
    """Return when it ends: after its last day, or when it is or will have been closed."""
    period = pilot.period
    if pilot.closes_at is None:
        return period.end
    return max(period.start, min(period.end, pilot.closes_at))


def _after(pilot: Pilot, route: PilotRoute, candidates: Container[int]) -> PilotRoute | None:
    """Return the pilot as it is after its end, when one candidate answers for every name.

    It begins with the closing: one that is still to come when the last day is over would have
    calls answered by name while the pilot is blind.
    """
    chosen = pilot.after_candidate_id
    is_announced = pilot.closes_at is not None and pilot.closes_at <= pilot.period.end
    if pilot.closed_at is None and not is_announced:
        return None
    if pilot.after_close == AfterClose.GONE or chosen is None or chosen not in candidates:
        return None
    return replace(
        route,
        closes_at=route.closes_at + AFTER_KEPT,
        aliases=dict.fromkeys([*route.aliases, *route.blind], chosen),
        blind={},
    )


def _trials() -> defaultdict[int, dict[str, int]]:
    """By pilot: whom each name stands for."""
    trials: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for pilot_id, alias, candidate_id in (
        Trial.objects.filter(dropped_at__isnull=True, candidate__provider__retired_at__isnull=True)
        .exclude(candidate__state=CandidateState.RETIRED)
        .order_by("id")
        .values_list("pilot_id", "alias", "candidate_id")
    ):
        trials[pilot_id][alias] = candidate_id
    return trials


def _rotation_routes(
    now: datetime,
) -> defaultdict[int, tuple[set[int], dict[str, RotationRoute]]]:
    """By pilot: all candidates that have taken turns, and the blind aliases with what is to come.

    Of eras and swaps, those of today and later are enough to know whose turn it is.
    """
    swaps: defaultdict[int, list[Swap]] = defaultdict(list)
    for swap in Swap.objects.filter(day__gt=(now - LONGEST_DAY).date()).order_by("id"):
        swaps[swap.rotation_id].append(swap)
    found: defaultdict[int, tuple[set[int], dict[str, RotationRoute]]]
    found = defaultdict(lambda: (set(), {}))
    standing = Rotation.objects.filter(ended_at__isnull=True).select_related("pilot")
    rotations = list(standing.prefetch_related("eras").order_by("id"))
    known = Candidate.objects.select_related("provider").in_bulk(
        {id_ for each in rotations for era in each.eras.all() for id_ in era.candidate_ids}
    )
    for rotation in rotations:
        today = working_day(now, rotation.pilot.zone_info)
        eras = rotation.known_eras()
        rotating, blind = found[rotation.pilot_id]
        rotating.update(id_ for era in eras for id_ in era.candidate_ids)
        current = era_of(eras, today)
        told = tuple(era for era in eras if era is current or era.first_day > today)
        arms = {id_ for era in told for id_ in era.candidate_ids}
        blind[rotation.alias] = RotationRoute(
            seed=rotation.seed,
            eras=told,
            swaps={
                f"{swap.person_id}:{swap.day}": swap.chosen_id
                for swap in swaps[rotation.id]
                if swap.day >= today
            },
            left_out=tuple(each.id for each in elsewhere(rotation, map(known.__getitem__, arms))),
        )
    return found


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
