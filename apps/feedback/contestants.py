"""Who may be compared with whom, and the draw of a pair."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import combinations, groupby
from random import Random
from typing import Final

from django.db.models import Count, F, FilteredRelation, Q

from apps.catalog.models import Candidate, CandidateState
from apps.core.rotation import era_of, working_day
from apps.feedback.models import Comparison
from apps.pilots.models import Goal, Measure, Pilot, Rotation, UseRole
from apps.pilots.queries import trials_of

Pair = tuple[int, int]
_CHATS: Final = "chat/completions"


class NobodyToCompare(Exception):
    """There are no two candidates that answer prompts and whose code goes to the same place."""


def roles_compared(pilot: Pilot) -> list[UseRole]:
    """Return the roles that prompts are compared for: chat, and others that are decided by wins."""
    by_wins = Goal.objects.filter(pilot=pilot, measure=Measure.WINS).values_list("role", flat=True)
    return [role for role in UseRole if role == UseRole.CHAT or role in set(by_wins)]


def answering(pilot: Pilot) -> list[Candidate]:
    """Return the candidates on trial that answer prompts now, in their order."""
    candidates = [trial.candidate for trial in trials_of(pilot)]
    return [
        each
        for each in candidates
        if each.state == CandidateState.ACTIVE
        and each.provider.retired_at is None
        and _CHATS in each.provider.serves
    ]


def pairs(pilot: Pilot, role: str, *, now: datetime) -> list[Pair]:
    """Return the pairs that may be compared blind, each with the lower id first.

    They are of the role's rotation where it has one. Code never goes to another class of place.
    """
    candidates = answering(pilot)
    rotating = _rotating(pilot, role, now)
    if rotating is not None:
        candidates = [each for each in candidates if each.id in rotating]
    found: list[Pair] = []
    by_place = sorted(candidates, key=lambda each: (each.provider.residence, each.id))
    for _, alike in groupby(by_place, key=lambda each: each.provider.residence):
        found += combinations([each.id for each in alike], 2)
    return sorted(found)


def times_compared(pilot: Pilot, role: str, *, since: datetime) -> Counter[Pair]:
    """Return how often each pair has been judged, or is about to be, begun at or after `since`."""
    counts: Counter[Pair] = Counter()
    rows = (
        Comparison.objects.filter(
            Q(voted_at__isnull=False, withdrawn_at__isnull=True)
            | Q(voted_at__isnull=True, created_at__gte=since),
            pilot_id=pilot.id,
            role=role,
            is_blind=True,
            failed_at__isnull=True,
        )
        .annotate(
            on_left=FilteredRelation("answers", condition=Q(answers__side=0)),
            on_right=FilteredRelation("answers", condition=Q(answers__side=1)),
        )
        .values(one=F("on_left__candidate_id"), other=F("on_right__candidate_id"))
        .annotate(times=Count("id"))
        .order_by("one", "other")
    )
    for row in rows:
        counts[_pair(row["one"], row["other"])] += row["times"]
    return counts


def draw(among: Sequence[Pair], compared: Mapping[Pair, int], chance: Random) -> Pair:
    """Draw one of the pairs that were compared least, its sides drawn too: (left, right).

    Raises NobodyToCompare.
    """
    if not among:
        raise NobodyToCompare
    least = min(compared.get(pair, 0) for pair in among)
    one, other = chance.choice([pair for pair in among if compared.get(pair, 0) == least])
    return (one, other) if chance.random() < 0.5 else (other, one)


def _pair(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


def _rotating(pilot: Pilot, role: str, now: datetime) -> frozenset[int] | None:
    rotation = (
        Rotation.objects.filter(pilot=pilot, role=role, ended_at__isnull=True)
        .prefetch_related("eras")
        .first()
    )
    if rotation is None:
        return None
    eras = rotation.known_eras()
    # Before the first turn it is known already who will take turns.
    era = era_of(eras, working_day(now, pilot.zone_info)) or (eras[0] if eras else None)
    return frozenset(era.candidate_ids if era else ())
