"""What a closing will do, in sentences, before anybody presses the button. Pure text."""

from dataclasses import dataclass
from datetime import datetime

from apps.pilots.closing import Afterwards
from apps.pilots.models import AfterClose, Pilot


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that will happen, and when; `when` is None for now."""

    when: datetime | None
    text: str


def preview(
    pilot: Pilot, *, closes_at: datetime | None, afterwards: Afterwards, people: int
) -> list[Step]:
    """Return what happens if a pilot is closed: at an announced instant, or at once with None."""
    steps = []
    told = f"{people:,} {'person' if people == 1 else 'people'} who take part"
    if closes_at is not None:
        steps.append(Step(None, f"A mail goes to {told}; a banner stands on their pages."))
    elif not pilot.is_draft:
        steps.append(Step(None, f"A mail goes to {told}."))
    steps.append(
        Step(
            closes_at,
            "The results are frozen: nothing that comes later changes them, but for ratings that "
            "people withdraw.",
        )
    )
    if pilot.unblinded_at is None and pilot.rotations.exists():
        steps.append(Step(closes_at, "Everybody sees who has answered their calls."))
    steps.append(Step(closes_at, keys_then(pilot, afterwards)))
    return steps


def keys_then(pilot: Pilot, afterwards: Afterwards) -> str:
    """Return what becomes of the keys."""
    if pilot.is_draft:
        return "Its keys never opened anything."
    if afterwards.after_close != AfterClose.GONE and afterwards.candidate is not None:
        whom = ", as the winner" if afterwards.after_close == AfterClose.WINNER else ""
        name = afterwards.candidate.name
        return f"Keys stay in force: {name} answers to every model name{whom}."
    if afterwards.sentence:
        return f"Keys are refused (410) with your sentence: “{afterwards.sentence}”"
    return "Keys are refused (410) with a sentence that says the pilot is over."
