from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.core.keys import digest
from apps.pilots.actions import KEYS_AT_MOST
from apps.pilots.models import Key
from tests.factories import make_enrollment, make_key, make_pilot, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def pilot():
    return make_pilot(slug="first")


@pytest.fixture
def enrollment(client, pilot):
    user = make_user(Role.DEVELOPER)
    client.force_login(user)
    return make_enrollment(pilot, user.person)


def test_developer_makes_a_key_that_is_shown_once(client, enrollment):
    response = client.post("/pilots/first/keys/", {"name": "laptop"})

    key, plain = Key.objects.get(), response.context["plain"]
    assert (key.digest, key.name, key.enrollment) == (digest(plain), "laptop", enrollment)
    assert plain in response.content.decode()
    assert "no-store" in response["cache-control"]
    again = client.get("/pilots/first/keys/").content.decode()
    assert plain not in again
    assert key.hint in again


def test_key_is_made_in_place_with_htmx(client, enrollment):
    response = client.post("/pilots/first/keys/", {"name": ""}, headers=HTMX)

    assert response.templates[0].name == "pilots/_keys.html"
    assert response.context["plain"].startswith("pd_")


def test_too_many_keys_are_refused_with_a_sentence(client, enrollment):
    now = timezone.now()
    for _ in range(KEYS_AT_MOST):
        make_key(enrollment, created_at=now, expires_at=now + timedelta(days=9))

    response = client.post("/pilots/first/keys/", {"name": ""})

    assert response.context["key_form"].errors == {
        "__all__": ["10 keys are in force, which is the most. Revoke one first."]
    }
    assert response.context["plain"] == ""


def test_closed_pilot_gives_no_key(client, enrollment, pilot):
    pilot.closed_at = timezone.now()
    pilot.save(update_fields=["closed_at"])

    response = client.post("/pilots/first/keys/", {"name": ""})

    assert response.context["key_form"].errors == {
        "__all__": ["This pilot is closed; nothing in it changes any more."]
    }
    assert Key.objects.count() == 0


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_developer_revokes_their_own_key(client, enrollment, headers):
    key, _ = make_key(enrollment)

    response = client.post(f"/pilots/first/keys/{key.id}/revoke/", headers=headers)

    assert response.status_code == (200 if headers else 302)
    assert Key.objects.get().revoked_at is not None


def test_nobody_revokes_the_key_of_another(client, enrollment, pilot):
    other, _ = make_key(make_enrollment(pilot))
    internal, _ = make_key(enrollment, kind="internal")

    for key in (other, internal):
        assert client.post(f"/pilots/first/keys/{key.id}/revoke/").status_code == 404

    assert Key.objects.filter(revoked_at=None).count() == 2


def test_pilot_of_others_does_not_exist(client, pilot):
    client.force_login(make_user(Role.DEVELOPER))

    assert client.get("/pilots/first/keys/").status_code == 404
    assert client.post("/pilots/first/keys/", {"name": ""}).status_code == 404
    assert Key.objects.count() == 0


def test_who_looks_on_gets_no_key(client, pilot):
    client.force_login(make_user(Role.LEAD))

    response = client.post("/pilots/first/keys/", {"name": ""})

    assert (response.status_code, Key.objects.count()) == (200, 0)
    assert "You do not take part in this pilot" in response.content.decode()


def test_viewer_has_no_keys_page(client, pilot):
    client.force_login(make_user(Role.VIEWER))

    assert client.get("/pilots/first/keys/").status_code == 403
