"""Providers that serve more than most, and what they are asked."""

import json
from dataclasses import replace

from apps.gateway.contract import SERVABLE


def serve(rig, *endpoints: str, template: str = "", stops=(), **provider) -> None:
    """Let the provider serve these, and the candidate have a template."""
    rig.route("theirs", serves=endpoints or SERVABLE, **provider)
    table = rig.service.routes.table
    candidate = replace(table.candidates[11], fim_template=template, fim_stops=stops)
    rig.service.routes.table = replace(table, candidates={11: candidate})


def answer(rig, body: bytes, kind: str = "application/json") -> None:
    rig.provider.canned = (kind, body)


async def post(rig, endpoint: str, body: bytes | dict, headers=None, prefix="/v1"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await rig.request("POST", f"{prefix}/{endpoint}", raw, headers)
