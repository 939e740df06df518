"""What tests of two apps or more use. Addresses of the servers are set by tests.settings."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
import redis
from django.conf import settings

_connect = socket.socket.connect


class LeavesTheMachine(Exception):
    """A test tried to reach an address outside of this machine."""


def _connect_to_ourselves(self: socket.socket, address: object) -> None:
    if isinstance(address, tuple):
        host = address[0]
        if host != "localhost" and not ip_address(host.partition("%")[0]).is_loopback:
            raise LeavesTheMachine(str(host))
    _connect(self, address)  # type: ignore[arg-type]


@pytest.fixture(autouse=True, scope="session")
def no_socket_out() -> Iterator[None]:
    """Refuse connections to anything but this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _connect_to_ourselves)
        yield


@pytest.fixture(autouse=True)
def no_rosters() -> None:
    """Names are kept by pilot and version, which begin anew with each test's database."""
    from apps.feedback import ide_names  # not before Django is set up

    ide_names._rosters.clear()


@pytest.fixture
def valkey() -> Iterator["redis.Redis"]:
    """This test process's own Valkey database, empty."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    yield client
    client.close()
