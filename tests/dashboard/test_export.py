import pytest

from tests.dashboard.filled import fill
from tests.factories import make_candidate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def test_the_leaderboard_leaves_as_a_table_without_formulas(client, pilot, lead):
    candidate = make_candidate(name="=cmd|' /C calc'!A0")
    fill(pilot, [candidate])

    response = client.get("/pilots/team/leaderboard.csv?days=7")

    head, row = response.text.split("\r\n")[:2]
    cells = dict(zip(head.split(","), row.split(","), strict=True))
    assert cells["candidate"] == "'=cmd|' /C calc'!A0"
    assert (cells["rank"], cells["calls"], cells["rated"], cells["liked"]) == (
        "1",
        "420",
        "84",
        "0.5",
    )
    assert cells["cost_usd"] == "42.000000000000"
    assert cells["active_developers"] == "6"
    assert (cells["first_token_p50_ms"], cells["total_p95_ms"]) == ("40", "45")
