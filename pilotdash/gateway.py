"""The gateway as granian runs it: `pilotdash.gateway:app`. No Django from here on down."""

import gc
import os
from pathlib import Path

from pilotdash import egress, env

STDOUT = 1


def _count_together(folder: Path) -> None:
    """Give the workers of one server a folder to count in, and forget servers that are gone."""
    ours = folder / str(os.getppid())
    ours.mkdir(parents=True, exist_ok=True)
    for other in folder.iterdir():
        if other.name.isdigit() and not _is_alive(int(other.name)):
            for file in other.iterdir():
                file.unlink(missing_ok=True)
            other.rmdir()
    # The running calls and the backlog of a worker that died are nobody's any more.
    for file in ours.glob("gauge_live*.db"):
        if not _is_alive(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)
    # The library reads this when it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(ours)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


_count_together(env.data() / "gateway" / "metrics")

from apps.core.internal_tokens import derive_key  # noqa: E402
from apps.gateway.app import Gateway  # noqa: E402 (counting begins at the import)
from apps.gateway.bounds import Bounds  # noqa: E402
from apps.gateway.pages import parse_proxies  # noqa: E402
from apps.gateway.service import Service, Settings  # noqa: E402
from apps.gateway.upstream import Timeouts, UpstreamSettings  # noqa: E402


def build() -> Gateway:
    """Return the application. Raises env.Misconfigured, by the name of the variable."""
    try:
        proxies = parse_proxies(env.trusted_proxies())
    except ValueError as problem:
        raise env.Misconfigured(f"TRUSTED_PROXIES: {problem}") from None
    limits = env.gateway_limits()
    settings = Settings(
        data=env.data(),
        redis_url=env.redis_url(),
        web_url=env.web_url(),
        upstream=UpstreamSettings(
            policy=egress.policy(),
            keys=tuple(env.encryption_keys()),
            proxy=env.egress_proxy(),
            ca_file=env.ca_file(),
            timeouts=Timeouts(
                connect=limits.connect_seconds,
                first_byte=limits.first_byte_seconds,
                silence=limits.silence_seconds,
                whole=limits.stream_seconds,
            ),
        ),
        trusted_proxies=proxies,
        calls_per_key=limits.calls_per_key,
        calls_per_process=limits.calls_per_process,
        event_bytes=limits.event_bytes,
        call_log=STDOUT if env.call_log() else None,
        token_key=derive_key(env.secret_key()),
    )
    bounds = Bounds(
        body_bytes=limits.body_bytes,
        body_seconds=limits.body_seconds,
        header_bytes=limits.header_bytes,
        json_depth=limits.json_depth,
        json_values=limits.json_values,
        messages=limits.messages,
        choices=limits.choices,
    )
    return Gateway(Service(settings), monitoring_token=env.monitoring_token(), bounds=bounds)


app = build()

# What is loaded by now stays for good, and a call makes few cycles: looking for garbage after every
# few calls, as Python does by default, took a sixth of their time.
gc.collect()
gc.freeze()
gc.set_threshold(200_000, 20, 50)
