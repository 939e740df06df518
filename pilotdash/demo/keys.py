"""The plain keys of the sample developers, which the database does not have."""

import json
from pathlib import Path

from pilotdash.kept import write_private

NAME = "demo-keys.json"


def write_keys(data: Path, keys: list[str]) -> None:
    write_private(data / NAME, json.dumps(keys))


def read_keys(data: Path) -> list[str]:
    keys: list[str] = json.loads((data / NAME).read_text())
    return keys
