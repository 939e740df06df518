"""Asks our own servers whether they answer.

As a program it is a container's health check: `python -m pilotdash.probe PORT PATH`.
"""

import asyncio
import contextlib
import ssl
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from pilotdash import env

ANSWER_SECONDS = 10.0


async def http_status(
    host: str,
    port: int,
    path: str,
    *,
    tls: bool = False,
    headers: Mapping[str, str] | None = None,
) -> int | None:
    """Return the status that GET answers with, or None while nobody answers."""
    secure: ssl.SSLContext | None = None
    if tls:
        # We ask ourselves by address, for which no certificate is made.
        secure = ssl.create_default_context()
        secure.check_hostname = False
        secure.verify_mode = ssl.CERT_NONE
    lines = [f"GET {path} HTTP/1.1", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(host, port, ssl=secure)
            with contextlib.closing(writer):
                writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
                words = (await reader.readline()).split()
    except (OSError, TimeoutError):
        return None
    return int(words[1]) if len(words) > 1 else None


def our_headers() -> dict[str, str]:
    """Return what our own questions need: the site's name, and the right to ask."""
    host = urlsplit(env.site_url()).netloc
    return {"Host": host, "Authorization": f"Bearer {env.monitoring_token()}"}


async def main(port: str, path: str) -> int:
    tls = env.tls_files() is not None and int(port) == env.port()
    status = await http_status("127.0.0.1", int(port), path, tls=tls, headers=our_headers())
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
