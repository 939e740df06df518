"""Reads of comparisons: the votes as data, and each person's own as pages show them.

Nothing that a rater's page is made of names a candidate, a time or a price of a blind comparison.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import FilteredRelation, Q

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.secrets import CannotOpen, open_token
from apps.feedback.answer_text import Block, blocks_of
from apps.feedback.compare_client import CLOSED, LIMIT, MONEY, REFUSED
from apps.feedback.comparisons import DAY, MOST_PER_DAY, is_running
from apps.feedback.models import ComparedAnswer, Comparison, Outcome
from apps.pilots.blindness import is_unblinded
from apps.pilots.models import Pilot

RECENT: Final = 10
_BEGINNING: Final = 90
LETTERS: Final = "AB"
JUDGED: Final = {
    Outcome.LEFT: "A is better",
    Outcome.RIGHT: "B is better",
    Outcome.TIE: "A tie",
    Outcome.BOTH_BAD: "Both are bad",
}
# None of these tells who it was: which of the two, and what it costs, stays unsaid.
TRY_AGAIN: Final = "One of them did not answer. Try again; this one does not count."
FAILURES: Final = {
    MONEY: "A budget does not allow this comparison now. An administrator of the pilot can raise "
    "it; this one does not count.",
    LIMIT: "A limit on calls is reached for the moment. Try again in a minute; this one does not "
    "count.",
    CLOSED: "The pilot takes no calls now. This one does not count.",
    REFUSED: "The prompt was not taken; a shorter one may be. This one does not count.",
}


@dataclass(frozen=True, slots=True)
class Vote:
    """One blind vote. Lengths are characters; `flagged` where an answer names a model."""

    person_id: int
    left_candidate_id: int
    right_candidate_id: int
    outcome: str
    left_length: int
    right_length: int
    flagged: bool
    voted_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Side:
    """One answer as a rater reads it."""

    letter: str
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class Shown:
    """A comparison of one's own. `problem` is a sentence where it failed.

    `words` is the vote that stands, if any. `is_emptied`: prompt and answers are erased.
    """

    id: UUID
    at: datetime
    role: str
    prompt: str
    is_waiting: bool
    problem: str
    sides: list[Side]
    outcome: str
    words: str
    is_withdrawn: bool
    is_emptied: bool
    is_open: bool
    expires_at: datetime

    @property
    def is_ready(self) -> bool:
        return not self.is_waiting and not self.problem

    @property
    def can_vote(self) -> bool:
        return self.is_open and self.is_ready and not self.is_emptied

    @property
    def beginning(self) -> str:
        """The first words of the prompt, in one line."""
        line = " ".join(self.prompt.split())
        return line if len(line) <= _BEGINNING else f"{line[: _BEGINNING - 1]}…"


@dataclass(frozen=True, slots=True)
class Own:
    """How many blind votes of a person stand in a pilot, and how many more today may bring."""

    votes: int
    left_today: int


def votes_of(pilot: Pilot, role: str) -> list[Vote]:
    """Return the blind votes of a pilot that count, the first one first. One query."""
    rows: Iterable[Any] = (
        Comparison.objects.filter(
            pilot_id=pilot.id,
            role=role,
            is_blind=True,
            voted_at__isnull=False,
            withdrawn_at__isnull=True,
        )
        .annotate(
            on_left=FilteredRelation("answers", condition=Q(answers__side=0)),
            on_right=FilteredRelation("answers", condition=Q(answers__side=1)),
            flagged=Q(on_left__names_itself=True) | Q(on_right__names_itself=True),
        )
        .order_by("voted_at", "id")
        .values_list(
            "person_id",
            "on_left__candidate_id",
            "on_right__candidate_id",
            "outcome",
            "on_left__length",
            "on_right__length",
            "flagged",
            "voted_at",
            "updated_at",
        )
    )
    return [Vote(*row) for row in rows]


def own_comparison(
    comparison_id: UUID, *, pilot: Pilot, person: Person, is_blind: bool
) -> Comparison | None:
    """Return a person's own comparison; nobody else's exists for them."""
    return Comparison.objects.filter(
        id=comparison_id, pilot_id=pilot.id, person=person, is_blind=is_blind
    ).first()


def recent(*, pilot: Pilot, person: Person, now: datetime, is_blind: bool) -> list[Shown]:
    """Return a person's last comparisons, answers left out, the latest first. Two queries."""
    found = Comparison.objects.filter(
        pilot_id=pilot.id, person=person, is_blind=is_blind, created_at__gt=now - 7 * DAY
    ).order_by("-created_at", "-id")[:RECENT]
    names = _names_of_winners(found)
    return [_shown(each, [], pilot=pilot, now=now, names=names) for each in found]


def shown(comparison: Comparison, *, pilot: Pilot, now: datetime) -> Shown:
    """Return a blind comparison as its author may see it. One query."""
    answers = comparison.answers.order_by("side")
    return _shown(comparison, list(answers), pilot=pilot, now=now)


def own_votes(*, pilot: Pilot, person: Person, now: datetime) -> Own:
    """Two queries."""
    mine = Comparison.objects.filter(pilot_id=pilot.id, person=person)
    votes = mine.filter(is_blind=True, voted_at__isnull=False, withdrawn_at__isnull=True)
    today = mine.filter(created_at__gt=now - DAY).count()
    return Own(votes.count(), max(0, MOST_PER_DAY - today))


def opened(token: str) -> str:
    """Return sealed words; nothing where they are erased, or nobody has the key any more."""
    try:
        return open_token(token, settings.ENCRYPTION_KEYS) if token else ""
    except CannotOpen:
        return ""


def is_open(comparison: Comparison, pilot: Pilot) -> bool:
    """Tell whether votes on it may still be given and changed."""
    return pilot.closed_at is None and not (comparison.is_blind and is_unblinded(pilot))


def _names_of_winners(comparisons: Iterable[Comparison]) -> dict[int, str]:
    """Names of those who were picked in the screening: what is blind has no winner."""
    winners = {each.winner_id for each in comparisons if each.winner_id is not None}
    return dict(Candidate.objects.filter(id__in=winners).values_list("id", "name"))


def _said(comparison: Comparison, names: Mapping[int, str]) -> str:
    if comparison.is_blind:
        return JUDGED[Outcome(comparison.outcome)]
    if comparison.winner_id is None:
        return "None is good"
    return names.get(comparison.winner_id, "One is picked")


def _shown(
    comparison: Comparison,
    answers: Sequence[ComparedAnswer],
    *,
    pilot: Pilot,
    now: datetime,
    names: Mapping[int, str] | None = None,
) -> Shown:
    prompt, is_waiting = opened(comparison.prompt), is_running(comparison, now=now)
    is_ready = comparison.ready_at is not None
    stands = comparison.voted_at is not None and comparison.withdrawn_at is None
    # The words of an answer are in the page only once both are there, and each is escaped there.
    sides = [
        Side(LETTERS[each.side], blocks_of(opened(each.text)))
        for each in answers
        if is_ready and comparison.is_blind
    ]
    return Shown(
        id=comparison.id,
        at=comparison.created_at,
        role=comparison.role,
        prompt=prompt,
        is_waiting=is_waiting,
        problem="" if is_waiting or is_ready else _problem([each.error for each in answers]),
        sides=sides,
        outcome=comparison.outcome if stands else "",
        words=_said(comparison, names or {}) if stands else "",
        is_withdrawn=comparison.withdrawn_at is not None,
        is_emptied=not prompt,
        is_open=is_open(comparison, pilot),
        expires_at=comparison.expires_at,
    )


def _problem(errors: Sequence[str]) -> str:
    return next((FAILURES[each] for each in FAILURES if each in errors), TRY_AGAIN)
