"""The packages of clients: locked by hash, bound to no registry, kept on this machine."""

import json

import pytest

from tests.clients.packages import HERE


def locked() -> dict[str, dict]:
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    return {name: package for name, package in packages.items() if name}


def test_every_package_is_locked_by_its_hash():
    assert [name for name, package in locked().items() if "integrity" not in package] == []


def test_the_lock_file_names_no_registry():
    assert [name for name, package in locked().items() if "resolved" in package] == []


def test_versions_are_exact():
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]

    assert wanted == {name: locked()[f"node_modules/{name}"]["version"] for name in wanted}


@pytest.mark.xdist_group("node")
def test_clients_reach_this_machine_only(bare_node, tmp_path):
    program = tmp_path / "away.mjs"
    program.write_text(
        'import net from "node:net";\n'
        'const told = await fetch("https://example.invalid/").catch((error) => error.cause);\n'
        "process.stdout.write(told.message);\n"
        'net.connect(9, "192.0.2.1").on("error", () => {});\n'
    )

    done = bare_node.start(str(program))

    assert done.printed == "example.invalid is not this machine"
    assert done.refused == ["example.invalid", "192.0.2.1"]
