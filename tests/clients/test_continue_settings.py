"""Continue's own schema reads the settings that we hand out. Needs Node.js and a package index."""

import json
import shutil
import subprocess

import pytest
import yaml

from apps.usage.clients import Alias, continue_yaml

PACKAGE = "@continuedev/config-yaml@1.42.0"
READ = """
import { configYamlSchema } from "@continuedev/config-yaml";
import { readFileSync } from "node:fs";
import YAML from "yaml";
const text = readFileSync(0, "utf8");
console.log(JSON.stringify(configYamlSchema.safeParse(YAML.parse(text))));
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which Node.js finds the package."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("there is no Node.js")
    folder = tmp_path_factory.mktemp("continue")
    command = [
        "npm",
        "install",
        "--ignore-scripts",
        "--omit=optional",
        "--no-audit",
        "--no-fund",
        "--prefix",
    ]
    try:
        installed = subprocess.run(
            [*command, folder, PACKAGE], capture_output=True, timeout=60, cwd=folder
        )
    except subprocess.TimeoutExpired:
        pytest.skip("no package index answers")
    if installed.returncode:
        pytest.skip("no package index answers")
    (folder / "read.mjs").write_text(READ)
    return folder


def test_continues_own_schema_accepts_what_we_hand_out(folder):
    aliases = [
        Alias("codellama-34b", 'Code "Llama": 34B', "<PRE> {prefix} <SUF>{suffix} <MID>"),
        Alias("mistral-7b", "Mistral 7B"),
    ]
    settings = continue_yaml("Pilot: autumn", "https://pilot.example/v1", aliases)

    told = subprocess.run(
        ["node", "read.mjs"],
        input=settings.encode(),
        capture_output=True,
        cwd=folder,
        timeout=30,
        check=True,
    )

    read = json.loads(told.stdout)
    assert read.get("error") is None
    assert read["data"] == yaml.safe_load(settings)
