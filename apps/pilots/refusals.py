"""What people are told when an action refuses: the field it is about, and a sentence."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.forms import Form

from apps.core import refusals
from apps.pilots import (
    actions,
    arms,
    going_on,
    join_links,
    last_day,
    limits,
    plans,
    rotations,
    serving,
    trials,
)
from apps.pilots.plan_defaults import FINALISTS_MOST, MANY_PEOPLE, SCREENERS_MOST
from apps.pilots.trail import PilotClosed

T = TypeVar("T")

SENTENCES: Final[refusals.Sentences] = {
    actions.SlugTaken: ("slug", "Another pilot has this one; give another."),
    actions.EndsBeforeItStarts: ("ends_on", "The last day lies before the first."),
    actions.UnknownZone: ("zone", "There is no such time zone; write it like Europe/Berlin."),
    actions.NamesWereToStayHidden: (
        "people_named",
        "People have joined on the promise that leads see no names.",
    ),
    PilotClosed: ("", "This pilot is closed; nothing in it changes any more."),
    trials.AliasMalformed: (
        "alias",
        "Use lower-case letters, digits, dots, dashes and underscores, and nothing that starts "
        "like o1 or gpt-5: some editors send those elsewhere.",
    ),
    trials.AliasTaken: ("alias", "This name is taken in this pilot; give another."),
    rotations.TooFewArms: ("candidates", "Choose two at least: one alone takes no turns."),
    rotations.NotOnTrial: ("candidates", "Only candidates that are on trial take turns."),
    rotations.RotatesAlready: ("", "It takes turns already."),
    rotations.RotationEnded: ("", "This rotation has ended; start another one."),
    arms.LastArm: (
        "",
        "It is the last that answers behind a blind alias: end that rotation first, or let another "
        "candidate join it.",
    ),
    trials.AlreadyOnTrial: ("candidate", "It is on trial here already."),
    trials.CandidateRetired: ("candidate", "It has just been retired."),
    serving.AlreadyStarted: (
        "",
        "It has started: candidates are dropped and added under Candidates and people.",
    ),
    going_on.NotScreening: ("", "It is a trial already."),
    serving.NobodyChosen: ("", "Choose a candidate for one role at least."),
    serving.TooManyScreeners: (
        "people_expected",
        f"A screening is for {SCREENERS_MOST} people at most; with more, make it a trial.",
    ),
    serving.TooManyFinalists: (
        "stage",
        f"A trial by fewer than {MANY_PEOPLE} people can tell {FINALISTS_MOST} candidates of a "
        "role apart, no more. Screen the others first.",
    ),
    plans.DecidesOutside: ("decide_by", "The decision would fall before the first day."),
    plans.ZoneStands: (
        "zone",
        "Turns have begun, and whose turn a day was is counted in this zone: it stays.",
    ),
    plans.FirstDayStands: ("starts_on", "Turns have begun: the first day stays."),
    last_day.ClosesLater: (
        "ends_on",
        "A closing is announced for later than that: call it off first, under Closing.",
    ),
    join_links.WrongDomain: ("email", "This link is for other addresses."),
    join_links.LinkNotOpen: ("", "This link does not work any more."),
    limits.LimitsNothing: ("", "Fill in at least one of the four, or remove the limit."),
    limits.NotOfThisPilot: ("subject", "It does not take part in this pilot."),
    actions.NotTakingPart: ("", "You have left this pilot."),
    actions.TooManyKeys: (
        "",
        f"{actions.KEYS_AT_MOST} keys are in force, which is the most. Revoke one first.",
    ),
}


def attempt(form: Form, action: Callable[[], T]) -> T | None:
    """Do it, or add to the form why not and return None."""
    return refusals.attempt(form, action, SENTENCES)


def sentence(problem: Exception) -> str:
    """Return what to say where there is no form."""
    return SENTENCES[type(problem)][1]
