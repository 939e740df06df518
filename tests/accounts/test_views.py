"""Pages of joining, one's account and the console's way in, as a browser meets them."""

import re

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.urls import reverse
from django.utils import timezone

from apps.accounts import actions, break_glass
from apps.accounts.models import Role, User
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

NEW = {"name": "New One", "password": PASSWORD, "repeated": PASSWORD}


def sign_in(client, user, password=PASSWORD, follow=False):
    return client.post(
        "/accounts/login/", {"login": user.email, "password": password}, follow=follow
    )


def invited(role=Role.DEVELOPER):
    return actions.invite(email="new@example.com", role=role, invited_by=None, now=timezone.now())[
        1
    ]


def is_signed_in(client):
    return client.get("/account/").status_code == 200


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


def test_sign_in_wants_the_right_password(client):
    user = make_user()

    assert sign_in(client, user, "wrong").status_code == 200
    assert not is_signed_in(client)
    assert sign_in(client, user)["location"] == "/"
    assert is_signed_in(client)


def test_a_deactivated_user_is_told_so_only_with_the_right_password(client):
    user = make_user(is_active=False)

    assert sign_in(client, user, "wrong").status_code == 200
    assert sign_in(client, user)["location"] == reverse("account_inactive")
    assert client.get(reverse("account_inactive")).status_code == 200
    assert not is_signed_in(client)


def test_deactivating_ends_a_session_at_once(client):
    user = make_user()
    sign_in(client, user)

    User.objects.update(is_active=False)

    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("/account/", "/account/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("http://localhost/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_sign_in_redirects_to_this_site_only(client, wanted, given):
    user = make_user()

    response = client.post(
        "/accounts/login/", {"login": user.email, "password": PASSWORD, "next": wanted}
    )

    assert response["location"] == given


def test_the_sixth_wrong_password_for_an_address_is_not_even_tried(client):
    user = make_user()
    for _ in range(5):
        sign_in(client, user, "wrong")

    response = sign_in(client, user)

    assert response.context["form"].non_field_errors() == [
        "Too many failed login attempts. Try again later."
    ]


def test_many_attempts_from_one_address_are_stopped_on_a_page_of_ours(client):
    answers = [client.post("/accounts/login/", {}).status_code for _ in range(31)]

    assert answers == [200] * 30 + [429]
    assert "429.html" in [t.name for t in client.post("/accounts/login/", {}).templates]


def test_nobody_signs_up(client):
    response = client.get("/accounts/signup/")

    assert response["location"] == "/accounts/login/?next=/accounts/signup/"


def test_changing_the_password_ends_every_session(client, client_class):
    user = make_user()
    elsewhere = client_class()
    sign_in(client, user)
    sign_in(elsewhere, user)
    new = "another horse, another battery"

    response = client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )

    assert response.status_code == 302
    assert (is_signed_in(client), is_signed_in(elsewhere)) == (False, False)
    assert sign_in(client, user, new).status_code == 302


def test_a_forgotten_password_is_replaced_by_a_link_to_the_configured_site(
    client, mailoutbox, settings
):
    settings.SITE_URL = "https://pilot.example"
    user = make_user()

    client.post("/accounts/password/reset/", {"email": user.email})

    (mail,) = mailoutbox
    link = re.search(r"https://pilot\.example(/accounts/password/reset/key/\S+)", mail.body)
    assert (mail.to, mail.subject) == ([user.email], "PilotDash: Choose a new password")
    page = client.get(link[1], follow=True)
    new = "another horse, another battery"
    client.post(page.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert sign_in(client, user, new).status_code == 302


@pytest.mark.parametrize("who", ["nobody", "inactive", "single sign-on"])
def test_no_link_is_sent_to_who_has_no_password_here(client, mailoutbox, settings, who):
    settings.SINGLE_SIGN_ON = True
    user = make_user(is_active=who != "inactive")
    if who == "single sign-on":
        user.set_unusable_password()
        user.save()
    email = "nobody@example.com" if who == "nobody" else user.email

    response = client.post("/accounts/password/reset/", {"email": email})

    assert response["location"] == reverse("account_reset_password_done")
    assert mailoutbox == []


def test_everybody_renames_themselves(client):
    client.force_login(make_user())

    response = client.post("/account/name/", {"name": "Grace"}, follow=True)

    assert User.objects.get().name == "Grace"
    assert [str(message) for message in response.context["messages"]] == ["Your name is changed."]


def test_an_empty_name_is_refused(client):
    client.force_login(make_user(name="Ada"))

    response = client.post("/account/name/", {"name": ""})

    assert response.context["form"].errors == {"name": ["This field is required."]}
    assert User.objects.get().name == "Ada"


def test_signing_out_everywhere_ends_this_session_and_the_others(client, client_class):
    user = make_user()
    elsewhere = client_class()
    sign_in(client, user)
    sign_in(elsewhere, user)

    client.post("/account/sign-out/")

    assert (is_signed_in(client), is_signed_in(elsewhere)) == (False, False)


@pytest.fixture
def client_class():
    from django.test import Client

    return Client


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
