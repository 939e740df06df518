import pytest
from aiohttp.test_utils import TestServer

from apps.accounts.models import Role
from tests.catalog.probing import Fake
from tests.factories import make_user


@pytest.fixture
def admin(client):
    user = make_user(Role.ADMIN, totp_exempt=True)
    client.force_login(user)
    return user


@pytest.fixture
def fake():
    return Fake()


@pytest.fixture
async def url(fake):
    server = TestServer(fake.app())
    await server.start_server()
    yield str(server.make_url("/v1"))
    await server.close()
