"""The set-up script, in a project of its own whose lock files ask for nothing."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pilotdash.paths import ROOT

INSTALLING = "Installing what PilotDash needs (requirements/{}.txt) ...\n"


@pytest.fixture
def project(tmp_path):
    project = tmp_path / "a project with blanks"
    (project / "scripts").mkdir(parents=True)
    (project / "requirements").mkdir()
    shutil.copy(ROOT / "scripts" / "set_up.py", project / "scripts")
    for name in ("app", "dev"):
        (project / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
    return project


def set_up(project: Path, name: str, *, path: str = "/usr/bin:/bin") -> str:
    done = subprocess.run(
        [sys.executable, "scripts/set_up.py", name],
        cwd=project,
        env={"PATH": path, "HOME": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_installs_once_for_each_lock_file(project):
    first = set_up(project, "app")
    started = time.monotonic()
    second = set_up(project, "app")
    seconds = time.monotonic() - started
    with_tests = set_up(project, "dev")
    included = set_up(project, "app")
    (project / "requirements" / "dev.txt").write_text("# changed\n")
    changed = set_up(project, "dev")

    assert [first, second] == [INSTALLING.format("app"), ""]
    assert [with_tests, included] == [INSTALLING.format("dev"), ""]
    assert changed == INSTALLING.format("dev")
    assert seconds < 3


def test_a_broken_environment_is_made_again(project):
    set_up(project, "app")
    (project / ".venv" / "bin" / "python").unlink()
    (project / ".venv" / "set-up-app").unlink()

    set_up(project, "app")

    assert (project / ".venv" / "bin" / "python").exists()


@pytest.mark.skipif(not (Path(sys.prefix) / "bin" / "uv").exists(), reason="uv is not installed")
def test_uv_is_used_where_it_is_on_the_path(project):
    tools = project / "tools"
    tools.mkdir()
    (tools / "uv").symlink_to(Path(sys.prefix) / "bin" / "uv")

    said = set_up(project, "app", path=f"{tools}:/usr/bin:/bin")

    configuration = (project / ".venv" / "pyvenv.cfg").read_text()
    assert said == INSTALLING.format("app")
    assert "\nuv = " in configuration


@pytest.mark.parametrize("tool", ["app", "dev"])
def test_lock_files_hold_hashes_and_no_address_or_path(tool):
    lock = (ROOT / "requirements" / f"{tool}.txt").read_text()
    entries = [entry for entry in lock.split("\n") if entry and entry[0] not in " #"]

    assert [entry for entry in entries if "==" not in entry or not entry.endswith("\\")] == []
    assert lock.count("--hash=sha256:") >= len(entries)
    assert [
        word for word in ("://", "--index", "--find-links", os.sep + "work") if word in lock
    ] == []
