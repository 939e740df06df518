"""The programs of the product and their command lines, in one place.

The supervisor starts them on one machine; elsewhere `python -m pilotdash.parts NAME` becomes the
program of that name, so that a container runs the very same command.
"""

import ipaddress
import os
import sys
from urllib.parse import urlsplit

from pilotdash import env

# Beyond what the operator sets. Celery checks all of Django at each start of a worker, which costs
# a second each time and has been done when the tests ran.
ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "CELERY_SKIP_CHECKS": "1"}
# Long enough for most streams to finish, short enough for an operator who waits. Whoever stops the
# gateway kills it after that.
GATEWAY_STOP_SECONDS = 60
# At a reload, what an old worker has to answer beyond its longest stream.
LAST_WORDS_SECONDS = 30
# A new worker is up in one of them, or in some on a busy machine; until then the old one answers.
RELOAD_SECONDS = 5
# Beyond the gateway's own limit of calls, so that it is the one to refuse, with a sentence.
LEAST_GATEWAY_STREAMS = 2048


def command(name: str) -> tuple[str, ...]:
    """Return the command line of a program. Raises KeyError for a name that is none."""
    return (sys.executable, "-m", *PROGRAMS[name]())


def manage(*arguments: str) -> tuple[str, ...]:
    """Return the command line of a management command."""
    return (sys.executable, "manage.py", *arguments)


def gateway() -> tuple[str, ...]:
    limits = env.gateway_limits()
    streams = str(max(LEAST_GATEWAY_STREAMS, 2 * limits.calls_per_process))
    secure: tuple[str, ...] = ()
    if tls := env.tls_files():
        secure = ("--ssl-certificate", tls[0], "--ssl-keyfile", tls[1])
        # By itself granian speaks TLS 1.3 only, which some editors' runtimes do not.
        secure += ("--ssl-protocol-min", "tls1.2")
    return _granian(
        "asgi",
        host=env.host(),
        port=env.port(),
        workers=env.gateway_workers(),
        application="pilotdash.gateway:app",
        more=(
            # Nobody waits for a worker that a reload replaces, so it may finish all its streams.
            "--workers-kill-timeout",
            str(limits.stream_seconds + LAST_WORDS_SECONDS),
            # By itself granian lets a worker answer backlog / workers requests at a time: too few
            # for a thousand streams.
            "--backlog",
            streams,
            "--backpressure",
            streams,
            # While it looks whether a client speaks HTTP/2, no time limit runs.
            "--http",
            "1",
            "--http1-header-read-timeout",
            str(limits.header_seconds * 1_000),
            *secure,
        ),
    )


def web() -> tuple[str, ...]:
    url = urlsplit(env.web_url())
    return _granian(
        "asginl",
        host="127.0.0.1" if is_loopback(url.hostname or "") else "0.0.0.0",
        port=url.port or 8001,
        workers=env.web_workers(),
        application="pilotdash.asgi:application",
        more=("--workers-kill-timeout", "10"),
    )


def worker_ingest() -> tuple[str, ...]:
    return _celery_worker("ingest", queue="ingest", concurrency=1)


def worker() -> tuple[str, ...]:
    return _celery_worker("worker", queue="celery", concurrency=2)


def beat() -> tuple[str, ...]:
    schedule = env.data() / "beat-schedule"
    return (*CELERY, "beat", "--schedule", str(schedule), "--pidfile=", "--loglevel=WARNING")


def simulator() -> tuple[str, ...]:
    """The demo's providers."""
    return ("pilotdash.demo.simulator", "--port", str(urlsplit(env.simulator_url()).port))


def trickle() -> tuple[str, ...]:
    """The demo's developers."""
    return ("pilotdash.demo.trickle",)


CELERY = ("celery", "-A", "pilotdash.celery:app")
PROGRAMS = {
    "gateway": gateway,
    "web": web,
    "worker-ingest": worker_ingest,
    "worker": worker,
    "beat": beat,
    "simulator": simulator,
    "trickle": trickle,
}


def _granian(
    interface: str,
    *,
    host: str,
    port: int,
    workers: int,
    application: str,
    more: tuple[str, ...],
) -> tuple[str, ...]:
    return (
        "granian",
        "--interface",
        interface,
        "--host",
        host.strip("[]"),
        "--port",
        str(port),
        "--workers",
        str(workers),
        # Without it a server whose worker was killed stays up and answers nobody.
        "--respawn-failed-workers",
        # Between the start of a new worker and the end of the old one, at a reload.
        "--respawn-interval",
        str(RELOAD_SECONDS),
        "--no-ws",
        *more,
        application,
    )


def _celery_worker(name: str, *, queue: str, concurrency: int) -> tuple[str, ...]:
    return (
        *CELERY,
        "worker",
        f"--queues={queue}",
        f"--concurrency={concurrency}",
        f"--hostname={name}@%h",
        # Workers need nothing from one another, and asking costs each start a second.
        "--without-mingle",
        "--without-gossip",
        "--loglevel=INFO",
    )


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def main() -> None:
    arguments = command(sys.argv[1])
    os.execve(arguments[0], arguments, os.environ | ENVIRONMENT)


if __name__ == "__main__":
    main()
