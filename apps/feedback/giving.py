"""What a rating form does, on whichever page it stands."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict

from apps.accounts.models import Person
from apps.feedback import actions, queries
from apps.feedback.forms import RatingForm
from apps.pilots.models import Pilot
from apps.pilots.trail import PilotClosed
from apps.usage.models import Call

REFUSALS: Final[Mapping[type[Exception], str]] = {
    actions.CallNotRateable: "Only finished chat, edit and agent turns are rated.",
    PilotClosed: "This pilot is closed; its ratings no longer change.",
}
NOTHING_TO_WITHDRAW: Final = "There is no rating to withdraw."


def give(
    data: QueryDict, *, call: Call, pilot: Pilot, person: Person, via: str, now: datetime
) -> list[str]:
    """Store a rating, or the reason for one; return what was wrong with it, in sentences."""
    standing = queries.rating_of_call(call_id=call.id, person=person)
    form = RatingForm(data, scale=pilot.rating_scale, standing=standing)
    if form.is_valid():
        words: Any = form.cleaned_data | {"scale": pilot.rating_scale, "via": via}
        try:
            actions.rate(call=call, person=person, now=now, **words)
        except tuple(REFUSALS) as refusal:
            form.add_error(None, REFUSALS[type(refusal)])
    return [str(problem) for problem in form.non_field_errors()]


def withdraw(*, call: Call, person: Person, now: datetime) -> list[str]:
    """Take a rating back, also after the pilot was closed."""
    try:
        actions.withdraw(call_id=call.id, person=person, now=now)
    except actions.NothingToWithdraw:
        return [NOTHING_TO_WITHDRAW]
    return []


def give_or_withdraw(
    data: QueryDict, *, call: Call, pilot: Pilot, person: Person, via: str, now: datetime
) -> list[str]:
    """Do what a form asks for that has one address for both."""
    if data.get("withdraw"):
        return withdraw(call=call, person=person, now=now)
    return give(data, call=call, pilot=pilot, person=person, via=via, now=now)
