"""Comparisons in the screening: answers side by side, with names, time and cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Final
from uuid import UUID

from apps.accounts.models import Person
from apps.catalog.models import Candidate, Price
from apps.core.groups import LEAST_GROUP
from apps.feedback.answer_text import Block, blocks_of
from apps.feedback.compare_client import CLOSED, EMPTY, LATE, LIMIT, MONEY, REFUSED
from apps.feedback.comparison_queries import is_open, opened
from apps.feedback.comparisons import is_running
from apps.feedback.models import ComparedAnswer, Comparison
from apps.pilots.models import Pilot
from apps.usage.models import Call

_CHARACTERS_PER_TOKEN: Final = 4
_MILLION: Final = 1_000_000
_AROUND: Final = timedelta(hours=1)
PROBLEMS: Final = {
    MONEY: "A budget does not allow it.",
    LIMIT: "A limit on calls was reached.",
    CLOSED: "The pilot took no calls.",
    REFUSED: "It did not take this prompt; a shorter one may do.",
    LATE: "It did not finish in time.",
    EMPTY: "Its answer was empty.",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer cost; None is unknown. Estimated until its call is stored, and so marked."""

    usd: Decimal | None
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class NamedAnswer:
    """One candidate's answer. `problem` is a sentence where there is none."""

    candidate: Candidate
    blocks: list[Block]
    problem: str
    first_content_ms: int | None
    total_ms: int | None
    cost: Cost
    is_winner: bool


@dataclass(frozen=True, slots=True)
class Screened:
    """A comparison of one's own with all that is known of its answers."""

    id: UUID
    at: datetime
    prompt: str
    is_waiting: bool
    has_failed: bool
    answers: list[NamedAnswer]
    is_judged: bool
    has_winner: bool
    is_withdrawn: bool
    is_emptied: bool
    is_open: bool
    expires_at: datetime

    @property
    def can_pick(self) -> bool:
        is_ready = not self.is_waiting and not self.has_failed
        return self.is_open and is_ready and not self.is_emptied


@dataclass(frozen=True, slots=True)
class CandidateSums:
    """What one candidate's answers add up to. `judged` are those among which somebody chose."""

    candidate: Candidate
    shown: int
    failed: int
    judged: int
    picked: int
    median_ms: int | None
    mean_usd: Decimal | None
    costed: int


def screened(comparison: Comparison, *, pilot: Pilot, now: datetime) -> Screened:
    """Return a comparison in the screening as its author sees it. Four queries."""
    answers = list(comparison.answers.order_by("side"))
    candidates = Candidate.objects.in_bulk([each.candidate_id for each in answers])
    prompt = opened(comparison.prompt)
    costs = _costs(comparison, answers, prompt)
    is_waiting, is_ready = is_running(comparison, now=now), comparison.ready_at is not None
    stands = comparison.voted_at is not None and comparison.withdrawn_at is None
    return Screened(
        id=comparison.id,
        at=comparison.created_at,
        prompt=prompt,
        is_waiting=is_waiting,
        has_failed=not is_waiting and not is_ready,
        answers=[
            NamedAnswer(
                candidate=candidates[each.candidate_id],
                blocks=blocks_of(opened(each.text)) if is_ready else [],
                problem=PROBLEMS.get(each.error, "It did not answer.") if each.error else "",
                first_content_ms=each.first_content_ms,
                total_ms=each.total_ms,
                cost=costs[each.candidate_id],
                is_winner=stands and comparison.winner_id == each.candidate_id,
            )
            for each in answers
        ],
        is_judged=stands,
        has_winner=stands and comparison.winner_id is not None,
        is_withdrawn=comparison.withdrawn_at is not None,
        is_emptied=not prompt,
        is_open=is_open(comparison, pilot),
        expires_at=comparison.expires_at,
    )


def people_screening(pilot: Pilot) -> set[int]:
    """Return whose comparisons make up the sums of everybody."""
    ready = Comparison.objects.filter(pilot_id=pilot.id, is_blind=False, ready_at__isnull=False)
    return set(ready.order_by("person_id").values_list("person_id", flat=True).distinct())


def may_see_everybody(pilot: Pilot, person: Person, *, is_lead: bool, people: set[int]) -> bool:
    """Tell whether a reader may see the sums of everybody: a group of few tells what one did.

    Leads see all of a pilot that names people. To others, one's own share may be taken away.
    """
    if is_lead:
        return pilot.people_named or len(people) >= LEAST_GROUP
    return len(people - {person.id}) >= LEAST_GROUP


def sums(pilot: Pilot, *, person: Person | None = None) -> list[CandidateSums]:
    """Return the sums by candidate, in the candidates' order: one person's, or everybody's."""
    found = ComparedAnswer.objects.filter(
        comparison__pilot_id=pilot.id,
        comparison__is_blind=False,
        comparison__ready_at__isnull=False,
    ).select_related("comparison")
    if person is not None:
        found = found.filter(comparison__person=person)
    by_candidate: dict[int, list[ComparedAnswer]] = {}
    for answer in found.order_by("id"):
        by_candidate.setdefault(answer.candidate_id, []).append(answer)
    calls = _stored_costs(pilot.id, (each for rows in by_candidate.values() for each in rows))
    candidates = Candidate.objects.in_bulk(list(by_candidate))
    ordered = sorted(by_candidate, key=lambda id_: candidates[id_].position)
    return [_sums(candidates[id_], by_candidate[id_], calls) for id_ in ordered]


def _sums(
    candidate: Candidate,
    answers: list[ComparedAnswer],
    costs: Mapping[UUID, Decimal | None],
) -> CandidateSums:
    came = [each for each in answers if not each.error]
    judged = [
        each
        for each in came
        if each.comparison.voted_at is not None and each.comparison.withdrawn_at is None
    ]
    times = [each.total_ms for each in came if each.total_ms is not None]
    paid = [usd for each in came if each.call_id and (usd := costs.get(each.call_id)) is not None]
    return CandidateSums(
        candidate=candidate,
        shown=len(came),
        failed=len(answers) - len(came),
        judged=len(judged),
        picked=sum(each.comparison.winner_id == candidate.id for each in judged),
        median_ms=round(median(times)) if times else None,
        mean_usd=sum(paid, Decimal(0)) / len(paid) if paid else None,
        costed=len(paid),
    )


def _stored_costs(pilot_id: int, answers: Iterable[ComparedAnswer]) -> dict[UUID, Decimal | None]:
    """By call id, of the calls that are stored by now."""
    ids = {each.call_id: each.comparison.created_at for each in answers if each.call_id}
    if not ids:
        return {}
    calls = Call.objects.filter(
        pilot_id=pilot_id,
        # Tells the database which months' tables to look in.
        admitted_at__gte=min(ids.values()) - _AROUND,
        admitted_at__lte=max(ids.values()) + _AROUND,
        id__in=ids,
    )
    return dict(calls.order_by("id").values_list("id", "cost_usd"))


def _costs(comparison: Comparison, answers: list[ComparedAnswer], prompt: str) -> dict[int, Cost]:
    """By candidate: the call's own cost, or what its price makes of the answer's length."""
    stored = _stored_costs(comparison.pilot_id, answers)
    prices = {
        price.candidate_id: price
        for price in Price.objects.in_force(at=comparison.created_at)
        .filter(candidate_id__in=[each.candidate_id for each in answers])
        .order_by("id")
    }
    return {
        each.candidate_id: (
            Cost(stored[each.call_id], False)
            if each.call_id in stored
            else Cost(_estimate(prices.get(each.candidate_id), len(prompt), each.length), True)
        )
        for each in answers
    }


def _estimate(price: Price | None, asked: int, answered: int) -> Decimal | None:
    if price is None:
        return None
    given = asked * price.input_usd_per_mtok + answered * price.output_usd_per_mtok
    return given / _CHARACTERS_PER_TOKEN / _MILLION
