"""What people are told when an action of a pilot's life refuses, beside all of refusals.py."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.forms import Form

from apps.core import refusals
from apps.pilots import closing, events, incumbents, rotations, unblinding
from apps.pilots.refusals import SENTENCES

T = TypeVar("T")

LIFE: Final[refusals.Sentences] = {
    **SENTENCES,
    closing.TooSoon: ("closes_at", "At least three days ahead: people are to be told in time."),
    closing.AfterTheLastDay: (
        "closes_at",
        "After the last day nothing is answered any more: move that first, under Plan.",
    ),
    closing.AnnouncedAlready: ("", "Another closing is announced; call it off first."),
    closing.NotAnnounced: ("", "No closing is announced."),
    closing.DraftIsNotAnnounced: ("", "Nobody uses a draft: close it at once."),
    closing.NobodyAnswers: ("after_candidate", "Choose one that can answer."),
    closing.AnswersElsewhere: (
        "after_candidate",
        "Code would go to a class of place that people were not told of.",
    ),
    unblinding.NoReason: ("reason", "Say why."),
    unblinding.UnblindedAlready: ("", "Everybody may know already."),
    events.EventToCome: ("at", "That is still to come."),
    events.NotTyped: ("", "What the product itself has told stays."),
    events.NotOfThePilot: ("candidate", "It never was on trial here."),
    incumbents.NameTaken: ("name", "This pilot has one of this name."),
    incumbents.IncumbentRemoved: ("", "It was removed."),
    incumbents.InUse: ("", "The plan compares with it: choose another baseline first."),
}


def attempt(form: Form, action: Callable[[], T]) -> T | None:
    """Do it, or add to the form why not and return None."""
    try:
        return refusals.attempt(form, action, LIFE)
    except rotations.ArmsDisagree as problem:
        for reason in problem.reasons:
            refusals.tell(form, "candidates", reason)
    return None


def sentence(problem: Exception) -> str:
    """Return what to say where there is no form."""
    if isinstance(problem, rotations.ArmsDisagree):
        return " ".join(problem.reasons)
    return LIFE[type(problem)][1]
