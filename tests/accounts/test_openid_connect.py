"""Single sign-on against a real provider in this process: browser, pages and provider talk HTTP."""

from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.models import Role, User
from tests.accounts.signing_in import is_signed_in
from tests.factories import PASSWORD, make_user
from tests.fakes.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
START = "/accounts/oidc/oidc/login/"
ADA = {"sub": "1", "email": "Ada@example.com", "email_verified": True, "name": "Ada L."}


@pytest.fixture(scope="module")
def running_provider():
    provider = IdentityProvider()
    yield provider
    provider.stop()


@pytest.fixture
def provider(running_provider, settings):
    running_provider.claims, running_provider.denies = ADA, False
    running_provider.requests.clear()
    settings.SINGLE_SIGN_ON = True
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "oidc",
                    "name": "single sign-on",
                    "client_id": CLIENT_ID,
                    "secret": CLIENT_SECRET,
                    "settings": {"server_url": running_provider.issuer},
                }
            ],
            "OAUTH_PKCE_ENABLED": True,
        }
    }
    return running_provider


def sign_in(client, start=START):
    """Walk the redirects as a browser does, and return where it ends on our side."""
    away = client.get(start)["location"]
    back = requests.get(away, allow_redirects=False, timeout=5).headers["location"]
    url = urlsplit(back)
    assert url.netloc == "testserver"
    return client.get(url.path, dict(parse_qsl(url.query)))


def test_a_stranger_with_a_verified_address_becomes_a_developer(client, provider):
    response = sign_in(client)

    assert (response.status_code, response["location"]) == (302, "/")
    assert is_signed_in(client)
    user = User.objects.get()
    assert (user.email, user.name, user.role) == ("ada@example.com", "Ada L.", Role.DEVELOPER)
    assert not user.has_usable_password()
    assert SocialToken.objects.count() == 0


def test_the_same_subject_is_the_same_user_whatever_the_address_is_now(client, provider):
    sign_in(client)
    client.logout()
    provider.claims = {"sub": "1", "email": "changed@example.com"}

    sign_in(client)

    assert is_signed_in(client)
    assert User.objects.get().email == "ada@example.com"


def test_a_user_with_that_address_is_found(client, provider):
    user = make_user(Role.LEAD, email="ada@example.com")

    sign_in(client)

    assert is_signed_in(client)
    assert SocialAccount.objects.get().user == user
    assert User.objects.get().role == Role.LEAD
    assert User.objects.get().check_password(PASSWORD)


def test_an_invitation_is_accepted_on_the_way(client, provider):
    invitation, token = actions.invite(
        email="ada@example.com", role=Role.VIEWER, invited_by=None, now=timezone.now()
    )

    sign_in(client)

    assert (User.objects.get().role, User.objects.get().person) == (Role.VIEWER, invitation.person)
    assert client.get(f"/join/{token}/").status_code == 410


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        (
            {"sub": "1", "email": "ada@example.com"},
            "Your identity provider does not say that your e-mail address is verified.",
        ),
        (
            ADA | {"email_verified": False},
            "Your identity provider does not say that your e-mail address is verified.",
        ),
        ({"sub": "1"}, "Your identity provider did not tell your e-mail address."),
        ({"sub": "1", "email": "x"}, "Your identity provider did not tell your e-mail address."),
    ],
)
def test_an_address_that_is_not_verified_opens_nobodys_account(client, provider, claims, reason):
    make_user(Role.ADMIN, email="ada@example.com")
    provider.claims = claims

    response = sign_in(client)

    assert (response.status_code, response.context["reason"]) == (403, reason)
    assert not is_signed_in(client)
    assert SocialAccount.objects.count() == 0
    assert User.objects.count() == 1


def test_the_claim_decides_the_role_at_every_sign_in(client, provider, settings):
    settings.OIDC_ROLE_CLAIM = "groups"
    make_user(Role.ADMIN)
    roles = []

    for groups in (["pilotdash-lead"], ["pilotdash-admin"], []):
        provider.claims = ADA | {"groups": groups}
        sign_in(client)
        roles.append(User.objects.get(email="ada@example.com").role)

    assert roles == [Role.LEAD, Role.ADMIN, Role.DEVELOPER]


def test_the_claim_does_not_take_the_last_administrator_away(client, provider, settings):
    settings.OIDC_ROLE_CLAIM = "groups"
    make_user(Role.ADMIN, email="ada@example.com")

    sign_in(client)

    assert User.objects.get().role == Role.ADMIN


def test_an_administrator_by_single_sign_on_needs_no_second_factor_here(client, provider):
    make_user(Role.ADMIN, email="ada@example.com")

    sign_in(client)

    assert client.get("/setup/people/").status_code == 200


def test_one_who_has_a_second_factor_here_is_asked_for_it_unless_passwords_are_off(
    client, provider, settings
):
    user = make_user(Role.ADMIN, email="ada@example.com")
    TOTP.activate(user, generate_totp_secret())

    asked = sign_in(client)["location"]
    settings.PASSWORD_SIGN_IN = False
    let_in = sign_in(client)["location"]

    assert (asked, let_in) == ("/accounts/2fa/authenticate/", "/")


def test_a_deactivated_user_stays_out(client, provider):
    make_user(email="ada@example.com", is_active=False)

    response = sign_in(client)

    assert response["location"] == "/accounts/inactive/"
    assert not is_signed_in(client)


def test_who_leaves_the_provider_comes_back_to_a_page_of_ours(client, provider):
    provider.denies = True

    response = sign_in(client)

    assert response["location"] == "/accounts/3rdparty/login/cancelled/"
    assert client.get(response["location"]).status_code == 200


def test_a_forged_answer_is_refused(client, provider):
    response = client.get("/accounts/oidc/oidc/login/callback/", {"code": "x", "state": "y"})

    assert response.status_code == 401
    assert provider.requests == []


@pytest.mark.parametrize("path", ["", "/nothing-here", "/jwks?/.well-known/"])
def test_a_provider_that_is_away_or_broken_is_a_page_not_an_error(client, provider, settings, path):
    server = provider.issuer if path else "http://127.0.0.1:9"
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"] = {
        "server_url": server + path
    }

    response = client.get(START)

    assert response.status_code == 502
    assert "Single sign-on did not work" in response.content.decode()


@pytest.mark.parametrize(
    ("wanted", "given"), [("/account/", "/account/"), ("https://evil.example/", "/")]
)
def test_it_leads_to_this_site_only(client, provider, wanted, given):
    assert sign_in(client, f"{START}?next={wanted}")["location"] == given


def test_there_is_no_linking_from_inside(client, provider):
    eve = make_user(email="eve@example.com")
    client.force_login(eve)

    sign_in(client, f"{START}?process=connect")

    assert SocialAccount.objects.get().user.email == "ada@example.com"


def test_the_sign_in_page_offers_it(client, provider):
    page = client.get("/accounts/login/").content.decode()

    assert f'href="{START}?process=login"' in page
    assert 'name="password"' in page


def test_with_passwords_off_it_is_the_only_way(client, provider, settings):
    settings.PASSWORD_SIGN_IN, settings.SOCIALACCOUNT_ONLY = False, True
    user = make_user()

    page = client.get("/accounts/login/").content.decode()
    response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})

    assert f'href="{START}?process=login"' in page
    assert 'name="password"' not in page
    assert (response.status_code, is_signed_in(client)) == (403, False)
