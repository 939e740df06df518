"""What is written on the wire is read back the same."""

from apps.gateway.contract import CallRecord, RouteTable
from tests.gateway.records import admitted, finished
from tests.gateway.rig import table


def test_the_table_of_the_rig_survives_its_wire_form():
    routes = table("http://127.0.0.1:1/v1")

    assert RouteTable.from_json(routes.to_json()) == routes


def test_a_record_survives_its_wire_form():
    record = finished(admitted(session="s", tool_calls=2))

    assert CallRecord.from_json(record.to_json()) == record
