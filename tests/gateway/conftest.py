import pytest

from apps.gateway.upstream import Timeouts
from tests.gateway.rig import running


@pytest.fixture
async def rig(tmp_path, valkey):
    async with running(tmp_path) as rig:
        yield rig


@pytest.fixture
async def hasty(tmp_path, valkey):
    """A gateway that gives its providers no time."""
    limits = Timeouts(connect=0.5, first_byte=0.3, silence=0.3, whole=2.0)
    async with running(tmp_path, timeouts=limits) as rig:
        yield rig
