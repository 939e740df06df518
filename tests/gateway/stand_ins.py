"""A candidate that another one stands in for, and who a record says has answered."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from zoneinfo import ZoneInfo

from apps.core.rotation import Era, working_day
from apps.gateway.contract import RotationRoute
from apps.gateway.turns import turns

ASKED, STAND_IN = 11, 12


def taking_turns(*candidate_ids: int, seed: str = "seed", **swaps: int) -> RotationRoute:
    """Return a rotation that began long ago."""
    return RotationRoute(seed, (Era(date(2024, 1, 1), candidate_ids),), swaps)


def rotate(pilot, alias: str, *candidate_ids: int):
    """Return the pilot with a blind alias; today it is the turn of the first, for person 31."""
    aliases = {name: number for name, number in pilot.aliases.items() if name != alias}
    day = working_day(datetime.now(UTC), ZoneInfo(pilot.zone))
    rotations = (taking_turns(*candidate_ids, seed=str(n)) for n in count())
    rotation = next(one for one in rotations if turns(one, 31, day)[0] == candidate_ids[0])
    return replace(pilot, aliases=aliases, blind=pilot.blind | {alias: rotation})


def lead(rig, asked: str, stand_in: str = "other", *, blind=None, provider=None, **candidate):
    """Let pilot-chat lead to one model, for which another one at another provider stands in."""
    rig.route(asked)
    table = rig.service.routes.table
    first = table.candidates[ASKED]
    here = table.providers[5]
    table.providers[6] = replace(here, id=6, slug="elsewhere", **(provider or {}))
    table.candidates[ASKED] = replace(first, fallback_id=STAND_IN)
    second = replace(first, id=STAND_IN, slug="cand-12", provider_id=6, upstream_model=stand_in)
    table.candidates[STAND_IN] = replace(second, **candidate)
    if blind is not None:
        table.pilots[1] = rotate(table.pilots[1], "pilot-chat", *blind)
    return table


def who(record) -> tuple[int, int, int | None]:
    return record.candidate_id, record.provider_id, record.assigned_candidate_id


def attempts(record) -> list[tuple[int, int | None]]:
    return [(one.candidate_id, one.status) for one in record.attempts]
