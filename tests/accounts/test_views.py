"""Pages of signing in and of one's account, as a browser meets them."""

import re

import pytest
from django.urls import reverse

from apps.accounts.models import User
from tests.accounts.signing_in import is_signed_in, sign_in
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


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
