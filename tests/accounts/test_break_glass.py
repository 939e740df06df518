"""The console's way in, for an administrator who is locked out."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils import timezone

from apps.accounts import break_glass
from apps.accounts.models import Role
from tests.accounts.signing_in import is_signed_in
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def test_the_console_lets_an_administrator_in_once(client):
    user = make_user(Role.ADMIN)
    TOTP.activate(user, generate_totp_secret())
    link = break_glass.make_link(
        email=user.email.upper(), drop_second_factor=False, now=timezone.now()
    )
    path = link.removeprefix("http://127.0.0.1:8000")

    page = client.get(path)
    first = client.post(path, {})
    client.logout()
    second = client.post(path, {})

    assert page.status_code == 200
    assert (first.status_code, first["location"]) == (302, "/account/")
    assert (second.status_code, is_signed_in(client)) == (410, False)


def test_the_console_can_set_a_password_and_drop_a_lost_phone(client):
    user = make_user(Role.ADMIN)
    TOTP.activate(user, generate_totp_secret())
    link = break_glass.make_link(email=user.email, drop_second_factor=True, now=timezone.now())
    new = "another horse, another battery"

    client.post(link, {"password": new, "repeated": new})

    assert is_signed_in(client)
    user.refresh_from_db()
    assert (user.check_password(new), user.authenticator_set.count()) == (True, 0)


@pytest.mark.parametrize("fields", [{"role": Role.LEAD}, {"role": Role.ADMIN, "is_active": False}])
def test_the_console_lets_nobody_else_in(fields):
    user = make_user(**fields)

    with pytest.raises(break_glass.NotAnAdministrator):
        break_glass.make_link(email=user.email, drop_second_factor=False, now=timezone.now())


def test_a_console_link_is_too_old_after_a_quarter_of_an_hour(client, monkeypatch):
    user = make_user(Role.ADMIN)
    link = break_glass.make_link(email=user.email, drop_second_factor=False, now=timezone.now())
    monkeypatch.setattr("django.core.signing.time.time", lambda: timezone.now().timestamp() + 901)

    assert client.get(link).status_code == 410
