"""Opening any page stores nothing: mail scanners, previews and prefetching browsers follow links.

Every URL there is, with arguments that lead somewhere, as three people and as a stranger.
"""

import pytest
from django.apps import apps
from django.urls import URLPattern, get_resolver

from apps.accounts.models import Role
from apps.feedback.asked_links import answer_token, stop_token
from apps.feedback.daily import ask
from apps.feedback.samples import pick
from tests.accounts.test_access import sample_of
from tests.factories import NOON, make_user
from tests.feedback.conftest import AT

pytestmark = pytest.mark.usefixtures("clock")
# Who is signed in is noted there, and by signing in alone.
NOT_LOOKED_AT = {"sessions.Session"}


def walk(patterns, prefix=""):
    for entry in patterns:
        if isinstance(entry, URLPattern):
            yield entry.name, prefix + str(entry.pattern), "/" + prefix + sample_of(entry.pattern)
        else:
            yield from walk(entry.url_patterns, prefix + sample_of(entry.pattern))


@pytest.fixture
def paths(world):
    """Every address of the product, with what is really there where it takes something."""
    call = world.call()
    world.pilot.sample_share = 1
    pick(pilot=world.pilot, now=AT)
    question = ask(pilot=world.pilot, person=world.person, now=NOON)
    tokens = {
        "asked": answer_token(question, now=NOON),
        "stop_asking": stop_token(world.enrollment),
    }
    found = []
    for name, pattern, sample in walk(get_resolver().url_patterns):
        path = sample
        if "<slug:slug>" in pattern and "pilots/" in pattern:
            path = path.replace("pilots/sample", f"pilots/{world.pilot.slug}")
        path = path.replace("01900000-0000-7000-8000-000000000000", str(call.id))
        if name in tokens:
            path = path.replace("sample", tokens[name])
        found.append(path)
    return [path for path in found if path != "/accounts/logout/"]


def everything():
    """Return every row of every table."""
    return {
        model._meta.label: list(model.objects.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.managed and model._meta.label not in NOT_LOOKED_AT
    }


@pytest.mark.parametrize("visitor", ["stranger", "developer", "lead", "admin"])
def test_no_get_stores_anything(client, world, paths, visitor):
    users = {
        "developer": world.user,
        "lead": make_user(Role.LEAD),
        "admin": make_user(Role.ADMIN, totp_exempt=True),
    }
    if visitor in users:
        client.force_login(users[visitor])
    client.raise_request_exception = False
    before = everything()

    for path in paths:
        client.get(path)
        client.head(path)

    after = everything()
    assert {table: rows for table, rows in after.items() if rows != before[table]} == {}
    assert any("/asked/" in path for path in paths)
    assert f"/pilots/{world.pilot.slug}/today/" in paths
