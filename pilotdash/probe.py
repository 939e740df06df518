"""Asks our own servers whether they answer."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping

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
