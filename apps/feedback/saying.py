"""What people say of their days and weeks through pages, and how a refusal is put to them."""

from datetime import datetime
from typing import Any, Final

from django.db import transaction

from apps.accounts.models import Person
from apps.core.rotation import working_day
from apps.feedback import daily, pulse
from apps.feedback.daily_use import Asked, Used, used_on
from apps.feedback.due import forget_count
from apps.feedback.models import DailyQuestion
from apps.feedback.words import BadComment
from apps.pilots.models import Pilot
from apps.pilots.trail import PilotClosed

REFUSALS: Final[dict[type[Exception], str]] = {
    daily.NothingToAsk: "You have used nothing on this day that the pilot asks about.",
    daily.OtherRole: "The question of this day is about something else by now; it stands here.",
    daily.TooLongAgo: "Answers are taken for seven days; this one is too long ago.",
    daily.NoScore: "Choose one of the five buttons.",
    daily.NothingToTakeBack: "There is no answer to withdraw.",
    pulse.NothingSaid: "Answer at least one of the questions, or skip the week.",
    PilotClosed: "This pilot is closed; its answers no longer change.",
}


def say_of_day(
    said: dict[str, Any],
    *,
    pilot: Pilot,
    person: Person,
    via: str,
    now: datetime,
    question: DailyQuestion | None = None,
) -> list[str]:
    """Do what a DayForm says; return sentences on what was refused.

    `question` is the one a link opened; without it the day's own is found, or asked now.
    """

    def do() -> None:
        asked = question or _asked(said, pilot, person, now)
        match said["do"]:
            case "withdraw":
                daily.withdraw(question=asked, now=now)
            case "skip":
                daily.skip(question=asked, pilot=pilot, now=now)
            case _:
                daily.answer(
                    question=asked,
                    pilot=pilot,
                    score=said["score"],
                    reason=said["reason"],
                    role=said["role"],
                    via=via,
                    now=now,
                )
        forget_count(person, pilot)

    return _attempt(do)


def say_of_week(
    said: dict[str, Any],
    scores: dict[str, int | None],
    *,
    pilot: Pilot,
    person: Person,
    via: str,
    now: datetime,
) -> list[str]:
    """Do what a PulseForm says; return sentences on what was refused."""
    week = said["week"]

    def do() -> None:
        match said["do"]:
            case "withdraw":
                standing = pulse.answer_of(pilot=pilot, person=person, week=week)
                if standing is None:
                    raise daily.NothingToTakeBack
                pulse.withdraw_pulse(answer=standing, now=now)
            case "skip":
                pulse.skip_pulse(pilot=pilot, person=person, week=week, now=now)
            case _:
                pulse.answer_pulse(
                    pilot=pilot,
                    person=person,
                    week=week,
                    scores=scores,
                    comment=said["comment"],
                    via=via,
                    now=now,
                )
        forget_count(person, pilot)

    return _attempt(do)


def _attempt(do: Any) -> list[str]:
    try:
        with transaction.atomic():
            do()
    except BadComment as problem:
        return [str(problem)]
    except tuple(REFUSALS) as refusal:
        return [REFUSALS[type(refusal)]]
    return []


def _asked(said: dict[str, Any], pilot: Pilot, person: Person, now: datetime) -> DailyQuestion:
    day = said["day"]
    standing = daily.question_of(pilot=pilot, person=person, day=day)
    if standing is not None:
        return standing
    if day != working_day(now, pilot.zone_info):
        raise daily.NothingToAsk(str(day))
    used = _as_shown(said["role"], pilot, person, now)
    return daily.ask(pilot=pilot, person=person, used=used, now=now)


def _as_shown(role: str, pilot: Pilot, person: Person, now: datetime) -> Used | None:
    """Return what the page asked about, though another role may have been used since."""
    used = used_on(pilot, working_day(now, pilot.zone_info), person=person).get(person.id, [])
    return Asked(pilot, person).choose(person.id, [each for each in used if each.role == role])
