"""Which format each endpoint has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from apps.gateway.contract import ENDPOINTS
from apps.gateway.drivers.messages import COUNT_TOKENS, MESSAGES
from apps.gateway.drivers.rerank import RERANK
from apps.gateway.drivers.responses import RESPONSES
from apps.gateway.drivers.wire import OPENAI, Wire

WIRES: Final[Mapping[str, Wire]] = dict.fromkeys(ENDPOINTS, OPENAI) | {
    "rerank": RERANK,
    "responses": RESPONSES,
    "messages": MESSAGES,
    "messages/count_tokens": COUNT_TOKENS,
}
