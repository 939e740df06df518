"""Origins of pages that may show the rating widget. Pure."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

MOST_ORIGINS: Final = 20
LONGEST: Final = 200
# Over plain http anybody on the way could rate.
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_PORTS: Final = {"http": 80, "https": 443}
# It becomes a part of a policy header, in which blanks, commas and semicolons mean something.
_HOST: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.(?!-)[a-z0-9-]{1,63})*|\[[0-9a-f:]{2,39}\]")


class NotAnOrigin(Exception):
    """Not a scheme, a host and perhaps a port. The message says what one is."""


def checked_origins(texts: Iterable[str]) -> list[str]:
    """Return origins as browsers write them, each once, in the order given. Raises NotAnOrigin."""
    found = list(dict.fromkeys(_origin(text.strip()) for text in texts if text.strip()))
    if len(found) > MOST_ORIGINS:
        raise NotAnOrigin(f"At most {MOST_ORIGINS} origins may show the widget.")
    return found


def _origin(text: str) -> str:
    wrong = NotAnOrigin(
        f"“{text[:80]}” is no origin; write it like https://tools.example.com, without a path and "
        "without a star."
    )
    try:
        parts = urlsplit(text)
        port = parts.port
        host = (parts.hostname or "").encode("idna" if "[" not in text else "ascii").decode()
    except ValueError:
        raise wrong from None
    host = f"[{host}]" if ":" in host else host
    is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in _PORTS or "@" in parts.netloc or not is_bare or len(text) > LONGEST:
        raise wrong
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise NotAnOrigin(f"“{text[:80]}” has to begin with https, unless it is on this machine.")
    if not _HOST.fullmatch(host) or text.endswith(("?", "#")):
        raise wrong
    shown = "" if port is None or port == _PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{shown}"
