"""Imports point down. The order below is the architecture, and this test is what holds it."""

import ast
from pathlib import Path

import pytest

LAYERS = [
    "core",
    "gateway",
    "changes",
    "accounts",
    "catalog",
    "pilots",
    "usage",
    "feedback",
    "metrics",
    "planning",
    "dashboard digest",
]
DEPTH = {app: depth for depth, apps in enumerate(LAYERS) for app in apps.split()}
ROOT = Path(__file__).parent.parent
SOURCES = sorted(path.relative_to(ROOT) for path in (ROOT / "apps").rglob("*.py"))
PROBE_MAY = ("apps.gateway.upstream", "apps.gateway.drivers")
# They reach servers by the gateway's own rules, which stand nowhere else.
PROBES = (Path("apps/catalog/probe.py"), Path("apps/catalog/posting.py"))


def imported_modules(source):
    for node in ast.walk(ast.parse((ROOT / source).read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_imports_point_down(source):
    here = source.parts[1]
    for module in imported_modules(source):
        assert not module.startswith("pilotdash"), f"{source} imports the composition root"
        if not module.startswith("apps."):
            assert here != "gateway" or not module.startswith("django"), "the gateway has no Django"
            continue
        there = module.split(".")[1]
        assert here == there or DEPTH[there] < DEPTH[here], f"{here} imports {module}"
        if there == "gateway" and here != "gateway":
            may_probe = source in PROBES and module.startswith(PROBE_MAY)
            assert module == "apps.gateway.contract" or may_probe, f"{source} imports {module}"


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_no_module_holds_two_things(source):
    if "migrations" not in source.parts:
        assert len((ROOT / source).read_text().splitlines()) <= 300
