import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def folder():
    """A folder that every account can reach; pytest's own are closed to others."""
    path = Path(tempfile.mkdtemp(prefix="pd-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)
