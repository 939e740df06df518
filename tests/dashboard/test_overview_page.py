import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.core.periods import DAY
from tests.dashboard.filled import fill
from tests.factories import make_candidate, make_pilot, make_trial, make_user
from tests.metrics.derived import make_usage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def test_the_leaderboard_adds_up_the_chosen_days(client, pilot, lead):
    candidate = make_candidate()
    fill(pilot, [candidate])

    (row,) = client.get("/pilots/team/?days=7").context["page"].rows

    usage = row.figures.usage
    assert (usage.calls, usage.rated, usage.liked) == (7 * 60, 7 * 12, 7 * 6)
    assert row.figures.cost_usd == 42
    assert (row.first_p50, row.first_p95, row.total_p50) == (40, 40, 45)
    assert (row.rank, row.people) == (1, "6")


def test_the_period_before_is_cut_where_the_pilot_begins_and_compared(client, pilot, lead):
    candidate = make_candidate()
    fill(pilot, [candidate])

    (row,) = client.get("/pilots/team/?days=7&compare=weekdays").context["page"].rows

    # Two whole days before, and the quarters of the third up to now, of which there are none.
    assert row.before.usage.calls == 3 * 60 - 60
    assert (row.liked_delta.text, row.liked_delta.kind) == ("±0 pts", "")


def test_the_overview_narrows_to_a_task(client, pilot, lead):
    candidate = make_candidate()
    fill(pilot, [candidate])
    for person in range(1, 6):
        make_usage(
            pilot, candidate, pilot.starts_on, task="edit", person=person, calls=3, token_usd=1
        )

    page = client.get("/pilots/team/?days=pilot&task=edit").context["page"]

    assert [row.figures.usage.calls for row in page.rows] == [15]
    assert [(option.label, option.current) for option in page.tasks] == [
        ("All tasks", False),
        ("chat", False),
        ("edit", True),
    ]
    # The budget is the whole pilot's, whatever is looked at.
    assert page.spent.total_usd == 65


def test_dropped_candidates_keep_their_figures(client, pilot, lead):
    kept, dropped = make_candidate(), make_candidate()
    fill(pilot, [kept, dropped])
    dropped.trials.update(dropped_at=timezone.now())

    response = client.get("/pilots/team/")

    assert [row.figures.usage.calls for row in response.context["page"].rows] == [600, 600]
    assert response.context["head"].candidates == 1


@pytest.mark.parametrize("with_trial", [False, True])
def test_a_pilot_without_calls_says_what_comes_next(client, pilot, lead, with_trial):
    if with_trial:
        make_trial(pilot)

    response = client.get("/pilots/team/")

    words = "not enough data" if with_trial else "Nothing is on trial yet"
    assert words in response.text
    assert response.context["page"].spent.total_usd == 0
    assert client.get("/pilots/team/charts/").status_code == 200
    assert client.get("/pilots/team/candidates/").status_code == 200


def test_a_pilot_that_has_not_begun_is_shown_too(client, lead):
    today = timezone.now().date()
    make_pilot(slug="next", starts_on=today + 3 * DAY, ends_on=today + 9 * DAY)

    head = client.get("/pilots/next/").context["head"]

    assert (head.state, head.day.startswith("7 days from ")) == ("Not begun", True)


def test_a_number_leads_to_the_calls_behind_it(client, pilot, lead):
    candidate = make_candidate(slug="phind")
    fill(pilot, [candidate])
    make_usage(pilot, candidate, pilot.starts_on, person=99, calls=10, failed=10)

    text = client.get("/pilots/team/?days=pilot&task=chat").text

    assert "/pilots/team/calls/?days=pilot&amp;candidate=phind&amp;task=chat" in text
    assert (
        "/pilots/team/calls/?days=pilot&amp;candidate=phind&amp;outcome=failed&amp;task=chat"
        in text
    )


def test_viewers_are_not_led_to_calls(client, pilot):
    fill(pilot, [make_candidate()])
    client.force_login(make_user(Role.VIEWER))

    assert client.get("/pilots/team/").text.count("/pilots/team/calls/") == 0
