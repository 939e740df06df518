"""Pages of joining by an invitation, as a browser meets them."""

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.models import Role, User
from tests.accounts.signing_in import is_signed_in
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
NEW = {"name": "New One", "password": PASSWORD, "repeated": PASSWORD}


def invited(role=Role.DEVELOPER):
    return actions.invite(email="new@example.com", role=role, invited_by=None, now=timezone.now())[
        1
    ]


def test_joining_signs_in_and_leads_home(client):
    token = invited()

    page = client.get(f"/join/{token}/")
    response = client.post(f"/join/{token}/", NEW)

    assert "new@example.com" in page.content.decode()
    assert (response.status_code, response["location"]) == (302, "/")
    assert is_signed_in(client)
    assert User.objects.get().name == "New One"


def test_an_invitation_page_is_not_kept_by_anybody(client):
    response = client.get(f"/join/{invited()}/")

    assert "no-store" in response["cache-control"]
    assert response["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("change", "field", "error"),
    [
        ({"repeated": "another one altogether"}, "repeated", "The two passwords are not the same."),
        (
            {"password": "short", "repeated": "short"},
            "password",
            "This password is too short. It must contain at least 12 characters.",
        ),
        (
            {"password": "new@example.com", "repeated": "new@example.com"},
            "password",
            "The password is too similar to the email.",
        ),
        ({"name": ""}, "name", "This field is required."),
    ],
)
def test_a_faulty_form_says_where_and_makes_nobody(client, change, field, error):
    response = client.post(f"/join/{invited()}/", NEW | change)

    assert response.context["form"].errors == {field: [error]}
    assert User.objects.count() == 0


def test_a_used_link_says_so_and_makes_nobody(client):
    token = invited()
    client.post(f"/join/{token}/", NEW)

    response = client.post(f"/join/{token}/", NEW)

    assert (response.status_code, User.objects.count()) == (410, 1)


def test_an_address_that_is_taken_by_now_is_said(client):
    token = invited()
    make_user(email="new@example.com")

    response = client.post(f"/join/{token}/", NEW)

    assert response.context["form"].non_field_errors() == [
        "Somebody signs in with this address already. Sign in instead."
    ]


def test_the_first_administrator_types_an_address_and_is_led_to_a_second_factor(client):
    token = actions.invite_first_administrator(now=timezone.now())

    client.post(f"/join/{token}/", NEW | {"email": "Root@example.com"})

    assert User.objects.get().email == "root@example.com"
    assert client.get("/setup/people/")["location"] == reverse("mfa_activate_totp")


def test_without_passwords_an_invitation_asks_for_a_name_only(client, settings):
    settings.PASSWORD_SIGN_IN = False

    client.post(f"/join/{invited()}/", {"name": "New One"})

    assert is_signed_in(client)
    assert not User.objects.get().has_usable_password()
