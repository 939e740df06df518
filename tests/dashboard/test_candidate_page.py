import pytest

from tests.dashboard.filled import fill
from tests.factories import make_candidate, make_hosting, make_trial
from tests.metrics.derived import make_hosted, make_usage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def test_a_candidate_shows_its_tiles_tasks_and_days(client, pilot, lead):
    candidate = make_candidate(slug="phind")
    fill(pilot, [candidate])
    for person in range(1, 6):
        make_usage(pilot, candidate, pilot.starts_on, task="edit", person=person, calls=3)
    make_hosted(pilot, candidate, pilot.starts_on, idle=8)

    page = client.get("/pilots/team/candidates/phind/?days=pilot").context["page"]

    assert [(row.task, row.figures.usage.calls) for row in page.tasks] == [
        ("chat", 600),
        ("edit", 15),
    ]
    assert [day.figures.cost_usd for day in page.days] == [14, *[6] * 9]
    assert [(tile.label, tile.value) for tile in page.tiles] == [
        ("Liked", "50%"),
        ("Cost per liked answer", "$0.25"),
        ("Cost per call", "$0.11"),
        ("First token, p50", "0.04 s"),
        ("Tokens per second", "–"),
        ("Errors", "0%"),
    ]
    assert page.tiles[0].trend == [0.5] * 10


def test_the_list_tells_what_each_candidate_costs_now(client, pilot, lead):
    candidate, hosted = make_candidate(), make_candidate()
    fill(pilot, [candidate])
    make_trial(pilot, hosted)
    make_hosting(hosted, usd_per_hour=4, count=2)

    listed = client.get("/pilots/team/candidates/").context["listed"]

    assert [(each.cost_terms, each.share_of_calls) for each in listed] == [
        ("$2.00 in, $4.00 out", 1.0),
        ("2 × $4.00 an hour", 0.0),
    ]
    assert listed[0].calls_trend == [60] * 10
