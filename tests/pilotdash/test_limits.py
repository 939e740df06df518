"""The limits of the gateway: what the operator's environment sets is what the gateway is given."""

import importlib

import pytest

from apps.gateway.bounds import Bounds
from apps.gateway.service import Settings
from apps.gateway.upstream import Timeouts
from pilotdash import env, parts

VARIABLES = {
    "PILOTDASH_MAX_BODY_BYTES": 2_000_000,
    "PILOTDASH_BODY_SECONDS": 11,
    "PILOTDASH_MAX_HEADER_BYTES": 12_000,
    "PILOTDASH_HEADER_SECONDS": 13,
    "PILOTDASH_MAX_JSON_DEPTH": 14,
    "PILOTDASH_MAX_JSON_VALUES": 15_000,
    "PILOTDASH_MAX_MESSAGES": 16,
    "PILOTDASH_MAX_CHOICES": 17,
    "PILOTDASH_CONNECT_SECONDS": 18,
    "PILOTDASH_FIRST_BYTE_SECONDS": 19,
    "PILOTDASH_SILENCE_SECONDS": 20,
    "PILOTDASH_STREAM_SECONDS": 21,
    "PILOTDASH_MAX_EVENT_BYTES": 22_000,
    "PILOTDASH_CALLS_PER_KEY": 23,
    "PILOTDASH_CALLS_PER_PROCESS": 2_400,
}


@pytest.fixture
def composed(tmp_path, monkeypatch):
    """The composition root's module, as a process of its own would load it."""
    monkeypatch.setenv("PILOTDASH_DATA", str(tmp_path))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    module = importlib.import_module("pilotdash.gateway")
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    return module


def test_every_limit_is_the_operators_to_set(composed, monkeypatch):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, str(value))

    gateway = composed.build()

    settings = gateway.service.settings
    assert gateway._bounds == Bounds(
        body_bytes=2_000_000,
        body_seconds=11,
        header_bytes=12_000,
        json_depth=14,
        json_values=15_000,
        messages=16,
        choices=17,
    )
    assert settings.upstream.timeouts == Timeouts(18, 19, 20, 21)
    assert settings.event_bytes == 22_000
    assert (settings.calls_per_key, gateway.service.slots.per_process) == (23, 2_400)
    line = " ".join(parts.gateway())
    assert "--http1-header-read-timeout 13000" in line
    assert "--backlog 4800 --backpressure 4800" in line


def test_what_the_operator_leaves_alone_is_the_gateways_own_default(composed, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    gateway = composed.build()

    settings, own = gateway.service.settings, Settings(composed.env.data(), "", "")
    assert gateway._bounds == Bounds()
    assert settings.upstream.timeouts == Timeouts() == Timeouts(5, 120, 60, 900)
    assert (settings.event_bytes, settings.calls_per_key, settings.calls_per_process) == (
        own.event_bytes,
        own.calls_per_key,
        own.calls_per_process,
    )
    assert (own.event_bytes, own.calls_per_key, own.calls_per_process) == (8 << 20, 10, 1_000)
    assert env.gateway_limits().header_seconds == 10


@pytest.mark.parametrize("name", VARIABLES)
def test_a_limit_of_none_fails_by_name(monkeypatch, name):
    monkeypatch.setenv(name, "0")

    with pytest.raises(env.Misconfigured, match=name):
        env.gateway_limits()
