"""Where django-allauth asks us: who may sign in, by what, and what mails and limits see."""

import ssl
import time
from ipaddress import ip_address, ip_network
from typing import Any

import certifi
from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from requests import Session
from requests.adapters import HTTPAdapter

from apps.accounts.models import User
from apps.accounts.second_factor import must_have_second_factor
from apps.accounts.single_sign_on import Unacceptable, user_vouched_for
from apps.core.secrets import open_token, seal


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in by e-mail. Accounts are made by invitation, never by signing up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        request = context.request
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that limits count: the last one that is no proxy of ours.

        Each hop appends the address it saw, so what stands left of it may be invented.
        """
        trusted = [ip_network(entry, strict=False) for entry in settings.TRUSTED_PROXIES]
        hops = request.headers.get("x-forwarded-for", "").split(",")
        for hop in [*reversed(hops), request.META.get("REMOTE_ADDR", "")]:
            try:
                address = ip_address(hop.strip())
            except ValueError:
                continue
            if not any(address in network for network in trusted):
                return str(address)
        return "0.0.0.0"

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask for the password again only where it was not given just now."""
        records = get_authentication_records(context.request, context.request.user)
        newest = max((entry["at"] for entry in records), default=0.0)
        if time.time() - newest < account_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def get_login_stages(self) -> list[str]:
        stages: list[str] = super().get_login_stages()
        if settings.PASSWORD_SIGN_IN:
            return stages
        # Where the identity provider alone decides, the second factor is its business too.
        return [stage for stage in stages if not stage.startswith("allauth.mfa.")]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        uid, _, rest = key.partition("-")
        # From the configured address: a request's own host may be anything that is allowed.
        return settings.SITE_URL + path.replace("UID-KEY", f"{uid}-{rest}")

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        if settings.SINGLE_SIGN_ON and not user.has_usable_password():
            return  # the identity provider decides about them, and a password would get past it
        super().send_password_reset_mail(user, email, context)


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Sign-in by the operator's OpenID Connect provider."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find or make the user whom the provider vouches for, or say why that cannot be."""
        sociallogin.state["process"] = "login"  # there is no linking from inside
        claims = sociallogin.account.extra_data
        known = sociallogin.user if sociallogin.is_existing else None
        try:
            user = user_vouched_for(claims, known=known, now=timezone.now())
        except Unacceptable as reason:
            page = "socialaccount/authentication_error.html"
            response = render(request, page, {"reason": str(reason)}, status=403)
            raise ImmediateHttpResponse(response) from None
        if known is None:
            sociallogin.user = user
            sociallogin.save(request, connect=True)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def get_requests_session(self) -> Session:
        session: Session = super().get_requests_session()
        if settings.CA_FILE:
            session.mount("https://", _OperatorsAuthorities())
        return session


class _OperatorsAuthorities(HTTPAdapter):
    """Trusts the operator's certificate authorities besides the usual ones."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        trust = ssl.create_default_context(cafile=certifi.where())
        trust.load_verify_locations(settings.CA_FILE)
        super().init_poolmanager(*args, ssl_context=trust, **kwargs)


class SecondFactorAdapter(DefaultMFAAdapter):
    """One-time codes; their secrets are sealed like every credential at rest."""

    def encrypt(self, text: str) -> str:
        return seal(text, settings.ENCRYPTION_KEYS)

    def decrypt(self, encrypted_text: str) -> str:
        return open_token(encrypted_text, settings.ENCRYPTION_KEYS)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not must_have_second_factor(authenticator.user)
