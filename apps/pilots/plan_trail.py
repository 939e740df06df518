"""What every change of a plan leaves: an entry in the audit trail, and after the start an event."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from apps.accounts.models import Person
from apps.pilots.happenings import happened
from apps.pilots.models import Pilot
from apps.pilots.plan_queries import CHANGED_LATE
from apps.pilots.trail import note


def note_plan(
    pilot: Pilot,
    told: Mapping[str, tuple[object, object]],
    now: datetime,
    actor: Person | None,
) -> None:
    """Record what differs; of a pilot that has started also in its log, for everybody to see."""
    changed = {
        what: [plain(before), plain(after)]
        for what, (before, after) in told.items()
        if plain(before) != plain(after)
    }
    if not changed:
        return
    if pilot.is_draft:
        note(pilot, "plan changed", actor, now, changed)
        return
    note(pilot, CHANGED_LATE, actor, now, changed)
    words = "; ".join(f"{what} {before} → {after}" for what, (before, after) in changed.items())
    happened(pilot, f"Changed after the start: {words}", now=now, actor=actor)


def plain(value: object) -> str:
    match value:
        case None | "" | []:
            return "none"
        case Decimal():
            return f"{value.normalize():f}"
        case list():
            return ", ".join(map(str, value))
    return str(value)
