from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.metrics.models import DayUsage
from tests.factories import (
    make_candidate,
    make_enrollment,
    make_key,
    make_pilot,
    make_price,
    make_provider,
    make_trial,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    user = make_user(Role.ADMIN, totp_exempt=True)
    client.force_login(user)
    return user


def steps(client):
    return [(step.title, step.state) for step in client.get("/setup/").context["steps"]]


def pilot_now(**fields):
    today = timezone.now().date()
    return make_pilot(
        **{"starts_on": today - timedelta(days=2), "ends_on": today + timedelta(days=2)} | fields
    )


def test_steps_lead_from_the_provider_to_the_first_call(client, admin):
    states = [steps(client)]
    provider = make_provider(auth="none")
    states.append(steps(client))
    candidate = make_candidate(provider=provider)
    states.append(steps(client))
    pilot = pilot_now()
    states.append(steps(client))
    make_trial(pilot, candidate)
    states.append(steps(client))
    enrollment = make_enrollment(pilot)
    states.append(steps(client))
    counts = {
        field.name: 0
        for field in DayUsage._meta.fields
        if field.name not in ("id", "day", "pilot_id", "candidate_id", "person_id", "task")
    }
    DayUsage.objects.create(
        day=timezone.now().date(),
        pilot_id=pilot.id,
        candidate_id=candidate.id,
        person_id=enrollment.person_id,
        task="chat",
        **counts | {"calls": 1, "ok": 1},
    )
    states.append(steps(client))

    titles = ["Provider", "Candidate", "Pilot", "People", "First call"]
    done = [0, 1, 2, 2, 3, 4, 5]
    assert states == [
        [
            (title, "done" if number < count else "next" if number == count else "later")
            for number, title in enumerate(titles)
        ]
        for count in done
    ]


def test_running_pilot_is_told_of_rather_than_one_to_come(client, admin):
    running = pilot_now(name="Running")
    make_trial(running)
    today = timezone.now().date()
    make_pilot(starts_on=today + timedelta(days=20), ends_on=today + timedelta(days=40))

    pilot = client.get("/setup/").context["steps"][2]

    assert (pilot.state, pilot.url) == ("done", f"/setup/pilots/{running.slug}/")


def test_what_does_not_work_needs_a_look(client, admin):
    provider = make_provider(slug="p", name="Groq")
    make_candidate(provider=provider, slug="a", name="A", state="paused")
    make_price(make_candidate(provider=make_provider(auth="none"), name="Fine"))
    make_candidate(provider=provider, name="Gone", state="retired")
    today = timezone.now().date()
    make_pilot(
        slug="old",
        name="Old",
        starts_on=today - timedelta(days=20),
        ends_on=today - timedelta(days=2),
    )

    found = [(flaw.text, flaw.url) for flaw in client.get("/setup/").context["flaws"]]

    assert found == [
        ("Groq has no key", "/setup/providers/p/"),
        ("A has no price: its calls are not costed", "/setup/candidates/a/"),
        ("A is paused", "/setup/candidates/a/"),
        ("Old is past its last day: close it, or move the day", "/setup/pilots/old/"),
    ]


def test_setup_takes_the_same_queries_for_any_number(client, admin, django_assert_num_queries):
    pilot = pilot_now()
    for _ in range(3):
        make_trial(pilot)
        make_key(make_enrollment(pilot))
    client.get("/setup/")

    with django_assert_num_queries(10):
        client.get("/setup/")
