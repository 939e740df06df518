"""Origins of web pages: where the rating widget may stand. Pure."""

import re
from typing import Final
from urllib.parse import urlsplit

_HOST: Final = re.compile(
    r"^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$"
)
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_USUAL: Final = {"https": 443, "http": 80}


class NotAnOrigin(Exception):
    """Neither https://host nor, on this machine, http://localhost; the message says what is."""


def origin_of(text: str) -> str:
    """Return an origin as browsers send it: lower case, without a usual port, path or slash.

    https anywhere, http on this machine only. Raises NotAnOrigin.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotAnOrigin("This is not an address.") from None
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise NotAnOrigin("Only scheme, host and port, such as https://tools.example.com.")
    if parts.scheme not in _USUAL:
        raise NotAnOrigin("Begin with https://.")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise NotAnOrigin(
            "Only https: anybody on the way could rate. On this machine http will do."
        )
    if host != "::1" and not _HOST.fullmatch(host):
        raise NotAnOrigin("This is no name of a host.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (
        f":{port}" if port not in (None, _USUAL[parts.scheme]) else ""
    )
