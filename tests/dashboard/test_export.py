import pytest

from apps.dashboard.export import HEADER, leaderboard_rows
from apps.dashboard.leaderboard import leaderboard
from apps.metrics.quality import qualities
from tests.dashboard.filled import fill
from tests.dashboard.pieces import ALL, candidate, rated
from tests.factories import make_candidate
from tests.metrics.test_quality import KNOWN, finding

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


def test_quality_is_the_primary_measure_and_nothing_in_its_stead():
    known = {1: rated(45, 50), 3: rated(50, 50)}
    (chat,) = qualities([finding()], KNOWN, reader=ALL)
    rows = leaderboard([candidate(1), candidate(3)], known, reader=ALL, role=chat)

    cells = [dict(zip(HEADER, row, strict=True)) for row in leaderboard_rows(rows)]

    quality = [tuple(each[name] for name in HEADER[-5:]) for each in cells]
    assert quality == [("daily", 4.0, 3.75, 4.25, 84), ("daily", None, None, None, None)]
    without = leaderboard([candidate(1)], known, reader=ALL)
    assert leaderboard_rows(without)[0][-5:] == (None,) * 5
