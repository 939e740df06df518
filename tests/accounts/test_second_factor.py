import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.urls import reverse

from apps.accounts.models import Role
from tests.accounts.signing_in import sign_in
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
ACTIVATE = "/accounts/2fa/totp/activate/"


def code_of(secret):
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def opens(client, path="/setup/people/"):
    return client.get(path).status_code == 200


def test_an_administrator_who_came_by_password_sets_one_up_before_anything_opens(client):
    sign_in(client, make_user(Role.ADMIN))

    for path in ("/setup/people/", "/account/", "/accounts/2fa/", "/accounts/password/change/"):
        assert client.get(path)["location"] == ACTIVATE
    page = client.get(ACTIVATE)  # no question for the password that was just typed
    response = client.post(ACTIVATE, {"code": code_of(page.context["form"].secret)})

    assert response["location"] == reverse("mfa_view_recovery_codes")
    codes = client.get(response["location"])
    shown = "\n".join(codes.context["unused_codes"])
    assert f"<code data-copy-text>{shown}</code>" in codes.content.decode()
    assert opens(client)


def test_a_wrong_code_turns_nothing_on(client):
    sign_in(client, make_user(Role.ADMIN))
    client.get(ACTIVATE)

    response = client.post(ACTIVATE, {"code": "000000"})

    assert response.context["form"].errors == {"code": ["Incorrect code."]}
    assert not opens(client)


def test_an_administrator_can_leave_instead(client):
    sign_in(client, make_user(Role.ADMIN))

    client.post("/accounts/logout/")

    assert client.get("/account/")["location"] == "/accounts/login/?next=/account/"


@pytest.mark.parametrize(
    ("role", "exempt"),
    [(Role.LEAD, False), (Role.DEVELOPER, False), (Role.VIEWER, False), (Role.ADMIN, True)],
)
def test_nobody_else_needs_one(client, role, exempt):
    sign_in(client, make_user(role, totp_exempt=exempt))

    assert opens(client, "/account/")


def test_becoming_an_administrator_asks_for_it_in_the_running_session(client):
    user = make_user(Role.LEAD)
    sign_in(client, user)
    assert opens(client, "/account/")

    user.role = Role.ADMIN
    user.save()

    assert client.get("/account/")["location"] == ACTIVATE


def test_it_is_asked_for_at_sign_in_and_a_recovery_code_does_too(client):
    user = make_user(Role.ADMIN)
    secret = generate_totp_secret()
    TOTP.activate(user, secret)

    response = sign_in(client, user)
    assert response["location"] == reverse("mfa_authenticate")
    assert client.get("/account/")["location"] == "/accounts/login/?next=/account/"
    assert client.get(response["location"]).status_code == 200
    client.post(response["location"], {"code": code_of(secret)})

    assert opens(client)


def test_its_secret_is_sealed_at_rest():
    user = make_user(Role.ADMIN)
    secret = generate_totp_secret()

    TOTP.activate(user, secret)

    assert secret not in str(Authenticator.objects.get().data)
    assert Authenticator.objects.get().wrap().validate_code(code_of(secret))


def test_an_administrator_cannot_turn_it_off(client):
    user = make_user(Role.ADMIN)
    TOTP.activate(user, generate_totp_secret())
    client.force_login(user)
    session = client.session
    session.save()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    client.post("/accounts/2fa/totp/deactivate/")

    assert Authenticator.objects.count() == 1


def test_everybody_else_can_once_they_have_typed_their_password_again(client):
    user = make_user(Role.LEAD)
    TOTP.activate(user, generate_totp_secret())
    client.force_login(user)

    path = "/accounts/2fa/totp/deactivate/"
    asked = client.post(path)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post(path)

    assert asked["location"].startswith(reverse("account_reauthenticate"))
    assert Authenticator.objects.count() == 0


def test_where_passwords_are_off_it_is_the_identity_providers_business(client, settings):
    settings.PASSWORD_SIGN_IN = False
    client.force_login(make_user(Role.ADMIN))

    assert client.get(ACTIVATE).status_code == 403
