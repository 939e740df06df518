"""A candidate that another one stands in for, and who a record says has answered."""

from dataclasses import replace

ASKED, STAND_IN = 11, 12


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
        table.pilots[1] = replace(table.pilots[1], blind={"pilot-chat": blind})
    return table


def who(record) -> tuple[int, int, int | None]:
    return record.candidate_id, record.provider_id, record.assigned_candidate_id


def attempts(record) -> list[tuple[int, int | None]]:
    return [(one.candidate_id, one.status) for one in record.attempts]
