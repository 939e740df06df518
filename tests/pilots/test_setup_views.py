import re
from datetime import timedelta
from html import unescape

import pytest
from django.core import mail
from django.utils import timezone

from apps.accounts.actions import accept_invitation
from apps.accounts.models import Invitation, Role
from apps.pilots.models import Enrollment, Key, Pilot, Trial
from tests.factories import (
    make_candidate,
    make_enrollment,
    make_key,
    make_pilot,
    make_trial,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    user = make_user(Role.ADMIN, name="Ada", totp_exempt=True)
    client.force_login(user)
    return user


def said(form):
    return {name: list(each) for name, each in form.errors.items()}


def test_pilots_are_listed_with_the_same_queries(client, admin, django_assert_num_queries):
    make_pilot(slug="a")
    client.get("/setup/pilots/")
    for _ in range(3):
        pilot = make_pilot()
        make_trial(pilot)
        make_key(make_enrollment(pilot))

    with django_assert_num_queries(5):
        response = client.get("/setup/pilots/")

    assert len(response.context["rows"]) == 4


def test_candidate_is_put_on_trial_under_a_name_made_from_it(client, admin):
    make_pilot(slug="first")
    candidate = make_candidate(slug="gpt-5-mini")

    response = client.post("/setup/pilots/first/trials/", {"candidate": candidate.id, "alias": ""})

    assert response.url == "/setup/pilots/first/"
    assert Trial.objects.get().alias == "pilot-gpt-5-mini"


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("taken", {"alias": ["This name is taken in this pilot; give another."]}),
        (
            "O1",
            {
                "alias": [
                    "Use lower-case letters, digits, dots, dashes and underscores, and nothing "
                    "that starts like o1 or gpt-5: some editors send those elsewhere."
                ]
            },
        ),
    ],
)
def test_alias_that_does_not_do_is_refused_on_the_page(client, admin, alias, expected):
    make_trial(make_pilot(slug="first"), alias="taken")
    candidate = make_candidate()

    response = client.post(
        "/setup/pilots/first/trials/", {"candidate": candidate.id, "alias": alias}
    )

    assert (said(response.context["trial_form"]), Trial.objects.count()) == (expected, 1)


def test_only_candidates_to_try_are_offered(client, admin):
    pilot = make_pilot(slug="first")
    make_trial(pilot)
    make_candidate(state="retired")
    free = make_candidate()

    form = client.get("/setup/pilots/first/").context["trial_form"]

    assert list(form.fields["candidate"].queryset) == [free]


def test_candidate_is_dropped_from_its_own_pilot_only(client, admin):
    trial = make_trial(make_pilot(slug="first"))
    make_pilot(slug="second")

    wrong = client.post(f"/setup/pilots/second/trials/{trial.id}/drop/")
    client.post(f"/setup/pilots/first/trials/{trial.id}/drop/")

    assert wrong.status_code == 404
    assert Trial.objects.get().dropped_at is not None


def test_people_who_sign_in_are_enrolled(client, admin):
    make_pilot(slug="first")
    people = [make_user().person.id for _ in range(2)]

    client.post("/setup/pilots/first/people/", {"people": people})

    assert sorted(Enrollment.objects.values_list("person_id", flat=True)) == people


@pytest.mark.parametrize("has_mail", [True, False])
def test_developers_are_invited_into_the_pilot(client, admin, settings, has_mail):
    if not has_mail:
        settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    make_pilot(slug="first")
    known = make_user(email="known@example.com")

    response = client.post(
        "/setup/pilots/first/invite/", {"emails": "new@example.com, Known@example.com"}
    )

    invitation, page = Invitation.objects.get(), unescape(response.content.decode())
    assert (invitation.email, invitation.role) == ("new@example.com", "developer")
    enrolled = set(Enrollment.objects.values_list("person_id", flat=True))
    assert enrolled == {invitation.person_id, known.person_id}
    assert "no-store" in response["cache-control"]
    token = re.search(r"/join/([\w-]+)/", page)[1]
    assert [message.to for message in mail.outbox] == [["new@example.com"]] * has_mail
    user = accept_invitation(
        token=token, email="", name="New", password="correct horse", now=timezone.now()
    )
    assert user.person_id == invitation.person_id


def test_malformed_addresses_invite_nobody(client, admin):
    make_pilot(slug="first")

    response = client.post("/setup/pilots/first/invite/", {"emails": "a@example.com nonsense"})

    assert said(response.context["invite_form"]) == {
        "emails": ["“nonsense” is not an e-mail address."]
    }
    assert (Invitation.objects.count(), Enrollment.objects.count()) == (0, 0)


def test_person_is_taken_out_with_their_keys(client, admin):
    enrollment = make_enrollment(make_pilot(slug="first"))
    make_key(enrollment)

    client.post(f"/setup/pilots/first/people/{enrollment.id}/take-out/")

    assert Enrollment.objects.get().left_at is not None
    assert Key.objects.get().revoked_at is not None


def test_any_key_of_the_pilot_is_revoked(client, admin):
    key, _ = make_key(make_enrollment(make_pilot(slug="first")))
    make_pilot(slug="second")

    wrong = client.post(f"/setup/pilots/second/keys/{key.id}/revoke/")
    client.post(f"/setup/pilots/first/keys/{key.id}/revoke/")

    assert wrong.status_code == 404
    assert Key.objects.get().revoked_at is not None


def test_pilot_is_closed_and_then_offers_no_more_changes(client, admin):
    pilot = make_pilot(slug="first")
    make_trial(pilot)
    make_enrollment(pilot)

    told = {"when": "at_once", "after_close": "gone", "reason": "Over", "do": "close"}
    client.post("/setup/pilots/first/close/", told)
    again = client.post("/setup/pilots/first/close/", told, follow=True)

    page = unescape(again.content.decode())
    assert Pilot.objects.get().closed_at is not None
    assert "This pilot is closed; nothing in it changes any more." in page
    main = page[page.index("<main") :]
    assert re.findall(r'action="(/setup/[^"]*)"', main) == []


@pytest.mark.parametrize("count", [1, 4])
def test_pilot_page_takes_the_same_queries_for_any_number(
    client, admin, count, django_assert_num_queries
):
    pilot = make_pilot(slug="first")
    now = timezone.now()
    for _ in range(count):
        make_trial(pilot)
        enrollment = make_enrollment(pilot, make_user(Role.DEVELOPER).person)
        make_key(enrollment, created_at=now, expires_at=now + timedelta(days=9))
        make_user()
        make_candidate()
    client.get("/setup/pilots/first/")

    with django_assert_num_queries(12):
        response = client.get("/setup/pilots/first/")

    context = response.context
    assert [len(context[name]) for name in ("trials", "people", "keys")] == [count] * 3


@pytest.mark.parametrize("role", [Role.LEAD, Role.DEVELOPER, Role.VIEWER])
def test_nobody_else_changes_a_pilot(client, role):
    make_pilot(slug="first")
    client.force_login(make_user(role))

    for path in ("close", "trials", "people", "invite"):
        assert client.post(f"/setup/pilots/first/{path}/").status_code == 403

    assert Pilot.objects.get().closed_at is None
