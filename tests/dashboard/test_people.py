from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.dashboard.people import pulse_lines
from apps.feedback.models import PulseAnswer
from tests.factories import (
    NOON,
    make_enrollment,
    make_key,
    make_person,
    make_pilot,
    make_trial,
    make_user,
)
from tests.metrics.derived import make_usage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
TODAY = date(2026, 11, 18)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)


@pytest.fixture
def candidate():
    return make_trial(make_pilot()).candidate


def take_part(pilot, name="", *, key=False, **fields):
    """Return someone enrolled; with a name they have signed up, too."""
    person = make_user(name=name).person if name else make_person()
    enrollment = make_enrollment(pilot, person, **fields)
    if key:
        make_key(enrollment)
    return person


def use(pilot, candidate, person, days_ago, **sums):
    day = TODAY - timedelta(days=days_ago)
    return make_usage(pilot, candidate, day, person=person.id, **{"calls": 1} | sums)


def counts(response):
    return [stage.count for stage in response.context["stages"]]


def get(client, pilot, role=Role.LEAD, **params):
    client.force_login(make_user(role, totp_exempt=True))
    return client.get(f"/pilots/{pilot.slug}/people/", params)


def test_who_may_open_the_page(client):
    pilot = make_pilot(people_named=True)
    developer = make_user()
    make_enrollment(pilot, developer.person)

    assert client.get(f"/pilots/{pilot.slug}/people/").status_code == 302
    assert get(client, pilot).status_code == 200
    assert get(client, pilot, Role.ADMIN).status_code == 200
    assert get(client, pilot, Role.VIEWER).status_code == 403
    client.force_login(developer)
    assert client.get(f"/pilots/{pilot.slug}/people/").status_code == 403


def test_stages_count_how_far_people_came(client, candidate):
    pilot = make_pilot(people_named=True)
    take_part(pilot)
    take_part(pilot, key=True)
    active, quiet = take_part(pilot, key=True), take_part(pilot, key=True)
    use(pilot, candidate, active, 7, rated=1)
    use(pilot, candidate, quiet, 8)
    use(pilot, candidate, take_part(pilot, key=True), 0, calls=1, failed=1)

    assert counts(get(client, pilot)) == [5, 4, 2, 1, 1]


def test_small_groups_are_not_told_where_nobody_is_named(client, candidate):
    pilot = make_pilot()
    people = [take_part(pilot, f"Person {number}", key=number < 4) for number in range(6)]
    for person in people[:1]:
        use(pilot, candidate, person, 0)

    response = get(client, pilot)

    html = response.content.decode()
    assert counts(response) == [6, None, None, None, 0]
    assert html.count("1–4") == 3
    assert "rows" not in response.context
    for person in people:
        assert person.user.name not in html
        assert person.user.email not in html
        assert person.pseudonym not in html


def test_five_are_told(client):
    pilot = make_pilot()
    for _ in range(5):
        take_part(pilot, key=True)

    assert counts(get(client, pilot)) == [5, 5, 0, 0, 0]


def test_people_stand_with_their_state_and_figures_the_busiest_first(client, candidate):
    pilot = make_pilot(people_named=True)
    invited = take_part(pilot)
    take_part(pilot, "Signed")
    take_part(pilot, "Keyed", key=True)
    take_part(pilot, "Gone", left_at=NOON)
    quiet, busy = take_part(pilot, "Quiet", key=True), take_part(pilot, "Busy", key=True)
    use(pilot, candidate, quiet, 8, calls=2)
    use(
        pilot,
        candidate,
        busy,
        1,
        calls=9,
        prompt_tokens=70,
        completion_tokens=7,
        token_usd="0.5",
        hosting_usd="0.25",
        rateable=4,
        rated=3,
    )

    rows = get(client, pilot).context["rows"]

    assert [(row.name, row.state, row.last_day, row.usage.calls) for row in rows] == [
        ("Busy", "Active", TODAY - timedelta(days=1), 9),
        ("Quiet", "Gone quiet", TODAY - timedelta(days=8), 2),
        ("Gone", "Left", None, 0),
        ("Keyed", "Has a key, no call yet", None, 0),
        (invited.pseudonym, "Invited", None, 0),
        ("Signed", "Signed up, no key yet", None, 0),
    ]
    assert (rows[0].cost_usd, rows[0].usage.tokens) == (Decimal("0.75"), 77)
    assert (rows[0].usage.rated, rows[0].usage.rateable) == (3, 4)


def test_figures_are_those_of_the_period_and_link_to_its_calls(client, candidate):
    pilot = make_pilot(people_named=True)
    person = take_part(pilot, "Ada", key=True)
    use(pilot, candidate, person, 10, calls=5)
    use(pilot, candidate, person, 1, calls=2)

    response = get(client, pilot, days="7")

    (row,) = response.context["rows"]
    link = f"/pilots/{pilot.slug}/calls/?days=7&amp;person={person.pseudonym}"
    assert row.usage.calls == 2
    assert f'href="{link}" aria-label="2 calls of Ada"' in response.content.decode()


def test_a_pilot_without_people_says_what_to_do(client):
    html = get(client, make_pilot(people_named=True)).content.decode()

    assert "Nobody takes part yet" in html


@pytest.mark.parametrize("people", [1, 3])
def test_the_page_asks_the_same_queries_for_any_number_of_people(
    client, candidate, people, django_assert_num_queries
):
    pilot = make_pilot(people_named=True)
    for number in range(people):
        use(pilot, candidate, take_part(pilot, f"P{number}", key=True), 1)
    get(client, pilot)

    with django_assert_num_queries(10):
        response = client.get(f"/pilots/{pilot.slug}/people/")

    assert len(response.context["rows"]) == people


@pytest.mark.django_db
def test_the_weeks_are_told_from_five_people_on():
    pilot = make_pilot()

    def answer(number):
        PulseAnswer.objects.create(
            pilot_id=pilot.id,
            person=make_person(),
            week=date(2026, 11, 9),
            trust=4,
            usefulness=number,
            answered_at=NOON,
        )

    for number in range(1, 5):
        answer(number)
    assert pulse_lines(pilot) == []

    answer(5)
    trust, reliance, usefulness, saved = pulse_lines(pilot)
    assert (trust.trend, trust.latest, trust.people) == ([4.0], 4.0, 5)
    assert (reliance.latest, usefulness.latest, saved.latest) == (None, 3.0, None)
