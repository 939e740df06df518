import pytest

from apps.accounts.models import Role
from apps.pilots.models import Pilot
from tests.factories import make_candidate, make_user
from tests.pilots.planning import BASICS


@pytest.fixture
def admin(client):
    user = make_user(Role.ADMIN, name="Ada", totp_exempt=True)
    client.force_login(user)
    return user


@pytest.fixture
def candidates():
    return [make_candidate(slug=slug) for slug in ("one", "two", "three", "four")]


@pytest.fixture
def draft(client, admin, candidates):
    client.post("/setup/create-pilot/", BASICS)
    return Pilot.objects.get()
