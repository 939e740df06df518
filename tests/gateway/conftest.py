import hypothesis
import pytest

from apps.gateway.journal import open_journal
from apps.gateway.upstream import Timeouts
from tests.gateway.rig import running

# Other tests share the machine: how long an example takes says nothing about the code.
hypothesis.settings.register_profile(
    "shared", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared")


@pytest.fixture
async def rig(tmp_path, valkey):
    async with running(tmp_path) as rig:
        # Three attempts are to take no longer than one.
        rig.service.attempts.first_wait = 0.02
        yield rig


@pytest.fixture
async def hasty(tmp_path, valkey):
    """A gateway that gives its providers no time."""
    limits = Timeouts(connect=0.5, first_byte=0.3, silence=0.3, whole=2.0)
    async with running(tmp_path, timeouts=limits) as rig:
        yield rig


@pytest.fixture
def journal(tmp_path):
    journal = open_journal(tmp_path / "journal", lambda: None)
    yield journal
    journal.close()
