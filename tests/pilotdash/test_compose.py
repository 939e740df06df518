"""No engine runs here, so every word of the container files is checked against the code."""

import re
import subprocess
import sys

import pytest
import yaml
from django.urls import resolve

from pilotdash import env, parts
from pilotdash.embedded.valkey import SETTINGS as VALKEY_SETTINGS
from pilotdash.paths import ROOT
from tests.test_settings import READERS

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build") == "."}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ONE_OFFS = {"migrate", "collectstatic"}


def instruction(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def test_the_services_are_the_programs_the_one_offs_and_the_servers():
    programs = set(parts.PROGRAMS) - {"simulator", "trickle"}

    assert set(SERVICES) == programs | ONE_OFFS | {"postgres", "redis"}


@pytest.mark.parametrize("name", sorted(set(OURS) - ONE_OFFS))
def test_a_service_runs_the_program_of_its_name(name):
    assert instruction("ENTRYPOINT") == ['["python", "-m", "pilotdash.parts"]']
    assert OURS[name]["command"] == [name]
    assert "entrypoint" not in OURS[name]


@pytest.mark.parametrize("name", sorted(ONE_OFFS))
def test_a_one_off_is_a_command_that_the_supervisor_runs_too(name):
    command = OURS[name]["command"]
    written = ", ".join(f'"{word}"' for word in command)

    assert OURS[name]["entrypoint"] == ["python", "manage.py"]
    assert f"self._command({written})" in (ROOT / "pilotdash/run.py").read_text()


def test_every_program_becomes_its_command_line(monkeypatch):
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PILOTDASH_DATA", "/data")

    lines = {name: " ".join(parts.command(name)[1:]) for name in set(OURS) - ONE_OFFS}

    granian = "-m granian --interface {} --host 0.0.0.0 --port {} --workers 1"
    respawn = "--respawn-failed-workers --respawn-interval 5 --no-ws --workers-kill-timeout"
    celery = "-m celery -A pilotdash.celery:app"
    quiet = "--without-mingle --without-gossip --loglevel=INFO"
    assert lines == {
        "gateway": f"{granian.format('asgi', 8000)} {respawn} 930 "
        "--backlog 2048 --backpressure 2048 --http 1 --http1-header-read-timeout 10000 "
        "pilotdash.gateway:app",
        "web": f"{granian.format('asginl', 8001)} {respawn} 10 pilotdash.asgi:application",
        "worker-ingest": (
            f"{celery} worker --queues=ingest --concurrency=1 --hostname=ingest@%h {quiet}"
        ),
        "worker": f"{celery} worker --queues=celery --concurrency=2 --hostname=worker@%h {quiet}",
        "beat": f"{celery} beat --schedule /data/beat-schedule --pidfile= --loglevel=WARNING",
    }


def test_a_named_program_replaces_the_interpreter():
    command = [sys.executable, "-m", "pilotdash.parts", "beat"]
    environment = {"PATH": "/usr/bin:/bin", "PILOTDASH_DATA": "/nowhere", "SECRET_KEY": ""}

    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def environment() -> dict[str, str]:
    """Return what a container of ours is given when `.env` holds the four secrets only."""
    given = COMPOSE["x-pilotdash"]["environment"]
    return {name: re.sub(r"\$\{\w+:-?(.*?)\}", r"\1", str(v)) for name, v in given.items()}


def test_every_variable_given_is_one_that_the_code_reads():
    read = set(READERS.findall((ROOT / "pilotdash/env.py").read_text()))
    single_sign_on = {f"OIDC_{part}" for part in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")}

    assert set(environment()) - read - single_sign_on == set()


def test_an_empty_variable_means_its_default(monkeypatch):
    for name, value in environment().items():
        monkeypatch.setenv(name, value)

    assert (env.host(), env.port(), env.site_url()) == ("0.0.0.0", 8000, "http://127.0.0.1:8000")
    assert (env.web_url(), env.gateway_url()) == ("http://web:8001", "http://gateway:8000")
    assert env.allowed_hosts() == ["127.0.0.1", "[::1]", "localhost"]
    assert (env.oidc(), env.egress_hosts(), env.trusted_proxies()) == (None, [], [])
    assert (env.web_workers(), env.gateway_workers(), env.password_sign_in()) == (1, 1, True)


def test_only_the_gateway_is_published_at_the_port_that_it_listens_on():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"gateway": ["${PORT:-8000}:8000"]}
    assert instruction("EXPOSE") == ["8000 8001"]


def test_health_checks_ask_for_paths_that_answer():
    checks = {name: SERVICES[name]["healthcheck"]["test"] for name in ("gateway", "web")}

    probe = ["CMD", "python", "-m", "pilotdash.probe"]
    assert checks == {"gateway": [*probe, "8000", "/healthz"], "web": [*probe, "8001", "/readyz"]}
    assert resolve("/readyz").func.__name__ == "readyz"


def test_every_volume_is_declared_and_ours_lie_in_the_data_folder():
    mounts = {
        name: dict(volume.split(":") for volume in service.get("volumes", []))
        for name, service in SERVICES.items()
    }

    assert {volume for mount in mounts.values() for volume in mount} == set(COMPOSE["volumes"])
    assert mounts["gateway"] == {"journal": "/data"}
    assert mounts["web"] == mounts["collectstatic"] == {"pages": "/data"}
    assert "PILOTDASH_DATA=/data" in DOCKERFILE
    assert instruction("VOLUME") == ["/data"]


def test_any_user_id_may_run_it():
    assert instruction("USER") == ["10001"]
    assert "mkdir -m 1777 /data" in DOCKERFILE
    assert "HOME=/tmp" in DOCKERFILE


def test_streams_get_the_time_that_granian_gives_them():
    grace = int(SERVICES["gateway"]["stop_grace_period"].removesuffix("s"))

    assert grace == parts.GATEWAY_STOP_SECONDS + 5


def test_the_broker_is_set_up_as_the_embedded_one():
    command = SERVICES["redis"]["command"][-1]

    options = dict(re.findall(r"--([a-z-]+) (\S+)", command))
    assert options == {name: value.replace('"', "'") for name, value in VALKEY_SETTINGS.items()}


def test_all_that_the_image_copies_exists():
    copied = [line.split()[0] for line in instruction("COPY")]

    assert [path for path in copied if not (ROOT / path).exists()] == []
