"""A gateway under its real server, and Node.js beside it where there is one."""

import os
from dataclasses import replace

import pytest
import redis
from django.conf import settings

from tests.clients.packages import (
    INSTALL_SECONDS,
    Node,
    NoNode,
    NotInstalled,
    installed_packages,
    prepared,
)
from tests.gateway.live import running_live
from tests.gateway.rig import KEY


def pytest_collection_modifyitems(items):
    """Whichever test comes first installs the packages, which takes its time."""
    for item in items:
        if "bare_node" in item.fixturenames:
            item.add_marker(pytest.mark.timeout(INSTALL_SECONDS + 60))


@pytest.fixture(scope="module")
def live(request, tmp_path_factory):
    """A gateway whose aliases are the module's MODELS, its routes as the module's `routes` says."""
    change = {"change": request.module.routes} if hasattr(request.module, "routes") else {}
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        valkey.flushdb()
        folder = tmp_path_factory.mktemp("live")
        with running_live(folder, valkey, request.module.MODELS, **change) as live:
            yield live


@pytest.fixture(scope="session")
def bare_node(tmp_path_factory):
    """Node.js with the packages; skips where there is none, or no registry to get them from."""
    try:
        packages = installed_packages()
    except NoNode as error:
        pytest.skip(str(error))
    except NotInstalled as error:
        # A machine that runs everything must not pass by leaving the clients out.
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"the packages could not be installed: {error}")
    return Node(prepared(tmp_path_factory.mktemp("node"), packages))


@pytest.fixture
def node(bare_node, live):
    """Node.js that knows the gateway and a key for it."""
    return replace(bare_node, base_url=f"{live.url}/v1", key=KEY)
