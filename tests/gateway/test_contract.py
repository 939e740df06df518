"""What is written on the wire is read back the same."""

from dataclasses import replace
from datetime import date

from apps.core.rotation import Era
from apps.gateway.contract import CallRecord, RotationRoute, RouteTable
from tests.gateway.records import admitted, finished
from tests.gateway.rig import table


def test_the_table_of_the_rig_survives_its_wire_form():
    routes = table("http://127.0.0.1:1/v1")

    assert RouteTable.from_json(routes.to_json()) == routes


def test_turns_and_what_comes_after_survive_it_too():
    routes = table("http://127.0.0.1:1/v1")
    pilot = routes.pilots[1]
    rotation = RotationRoute(
        "seed",
        (Era(date(2026, 3, 2), (11, 12)), Era(date(2026, 3, 9), (12,))),
        {"31:2026-03-09": 12},
    )
    routes.pilots[1] = replace(
        pilot, blind={"pilot-blind": rotation}, after=pilot, closing_sentence="Over."
    )

    assert RouteTable.from_json(routes.to_json()) == routes


def test_a_record_survives_its_wire_form():
    record = finished(admitted(session="s", tool_calls=2))

    assert CallRecord.from_json(record.to_json()) == record
