"""Who may open what: every URL there is, with every kind of visitor. A URL without a row fails."""

import re
from urllib.parse import urlsplit

import pytest
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils.regex_helper import normalize

from apps.accounts.models import Role
from tests.accounts.expected_access import EXPECTED, NOBODY
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

VISITORS = ("anonymous", *Role)
SAMPLES = {"int": "1", "uuid": "01900000-0000-7000-8000-000000000000"}


def walk(patterns, prefix=""):
    """Yield the name, or the route, and a sample path of every URL."""
    for entry in patterns:
        sample = prefix + sample_of(entry.pattern)
        if isinstance(entry, URLPattern):
            yield entry.name or sample, "/" + sample
        else:
            yield from walk(entry.url_patterns, sample)


def sample_of(pattern):
    if isinstance(pattern, RoutePattern):
        return re.sub(
            r"<(?:(\w+):)?\w+>", lambda part: SAMPLES.get(part[1], "sample"), str(pattern)
        )
    template, parameters = normalize(str(pattern))[0]
    return template % dict.fromkeys(parameters, "sample")


URLS = list(walk(get_resolver().url_patterns))


def test_every_url_has_a_row_and_every_row_a_url():
    assert {name for name, _ in URLS} == set(EXPECTED)


def visit(client, path):
    """Return whether the visitor is let in; a page that breaks on what is not there is a fault."""
    client.raise_request_exception = False
    response = client.get(path)
    # Nothing drains and no gateway beats here, and that is what /readyz has to say.
    assert response.status_code < 500 or path == "/readyz", path
    location = urlsplit(response.headers.get("location", ""))
    to_sign_in = location.path == "/accounts/login/" and "next=" in location.query
    return not to_sign_in and response.status_code != 403


@pytest.mark.parametrize("visitor", VISITORS)
def test_every_url_lets_in_whom_its_row_says(client, visitor):
    if visitor != "anonymous":
        client.force_login(make_user(visitor))

    # Signing out comes last, or everything after it would be visited by a stranger.
    rows = sorted(URLS, key=lambda url: url[0] == "account_logout")
    let_in = {url: visit(client, url[1]) for url in rows}

    assert let_in == {url: visitor in EXPECTED.get(url[0], NOBODY) for url in URLS}


def test_a_stranger_is_brought_back_to_where_they_were_going(client):
    response = client.get("/setup/people/?a=b")

    assert response["location"] == "/accounts/login/?next=/setup/people/%3Fa%3Db"


def test_a_stranger_who_posts_is_brought_to_the_first_page(client):
    response = client.post("/setup/people/invite/", {"emails": "a@example.com"})

    assert response["location"] == "/accounts/login/?next=/"


def test_a_panel_of_a_stranger_sends_the_whole_page_to_sign_in(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/setup/audit/?before=9"}

    response = client.get("/setup/people/", headers=headers)

    assert (response.status_code, response["HX-Redirect"]) == (
        200,
        "/accounts/login/?next=/setup/audit/%3Fbefore%3D9",
    )


def test_pages_of_strangers_carry_the_policy_and_keep_to_it(client):
    for _, path in URLS:
        response = client.get(path)
        if response.headers.get("content-type", "").startswith("text/html"):
            page = response.content.decode()
            assert "script-src 'self'" in response["content-security-policy"]
            assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", page), path
