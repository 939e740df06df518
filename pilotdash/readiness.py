"""`/readyz`: what works and what does not, for the operator and the supervisor."""

import hmac
import ipaddress
import json
import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from apps.accounts.access import allow_anyone
from apps.core.broker import connect_broker
from apps.gateway.contract import GATEWAYS_KEY, ROUTES_VERSION_KEY, STREAM
from apps.gateway.errors import error_body
from apps.usage.quiet import seconds_since_drained

TIMEOUT_S = 2.0
# Beat asks for a drain each second.
QUIET_S = 60.0
LATER_S = 5
# Each gateway says every second how it is; what a dead one said last stays for a minute.
SILENT_S = 10.0


@require_safe
@allow_anyone  # checks for itself: loopback, or the monitoring token
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when every part works and 503 when one does not, naming each part's state."""
    if not _may_ask(request):
        message = "A bearer MONITORING_TOKEN is needed."
        body = error_body(message, 401, code="unauthorized")
        return HttpResponse(body, status=401, content_type="application/json")
    parts = {
        "postgresql": _checked(_postgresql),
        "redis": _checked(_redis),
        "gateway": _checked(_gateway),
        "ingest": _checked(_ingest),
        "supervisor": _checked(_supervisor),
    }
    ready = all(part["ok"] for part in parts.values())
    told = {"ready": ready, "parts": parts}
    if ready:
        return JsonResponse(told)
    return JsonResponse(told, status=503, headers={"retry-after": str(LATER_S)})


def _may_ask(request: HttpRequest) -> bool:
    token = settings.MONITORING_TOKEN
    given = request.headers.get("authorization", "")
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    # The gateway says the address it saw in one header, and lets no other word of it through.
    if "forwarded" in request.headers or "x-real-ip" in request.headers:
        return False
    seen = request.headers.get("x-forwarded-for", request.META.get("REMOTE_ADDR", ""))
    address = seen.rpartition(",")[2].strip()
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _checked(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"ok": True} | check()
    except Exception as problem:  # whatever is wrong with a part is its state, not our failure
        return {"ok": False, "problem": type(problem).__name__}


def _postgresql() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        return {"version": cursor.fetchone()[0]}


def _broker() -> "redis.Redis":
    return connect_broker(timeout_s=TIMEOUT_S)


def _redis() -> dict[str, Any]:
    with _broker() as client:
        oldest: Any = client.xrange(STREAM, count=1)
        seconds, micros = client.time()
        waiting_s = 0.0
        if oldest:
            shipped_ms = int(oldest[0][0].split(b"-")[0])
            waiting_s = max(0.0, seconds + micros / 1e6 - shipped_ms / 1000)
        return {
            "calls_waiting": client.xlen(STREAM),
            "oldest_waiting_s": round(waiting_s, 1),
            "routes_version": int(client.get(ROUTES_VERSION_KEY) or 0),
        }


def _gateway() -> dict[str, Any]:
    """Each gateway process as it last said: records not shipped yet, and its routes' version."""
    with _broker() as client:
        told: Any = client.hgetall(GATEWAYS_KEY)
    states = [json.loads(state) for state in told.values()]
    gateways = [state for state in states if time.time() - state["at"] <= SILENT_S]
    return {
        "ok": bool(gateways),
        "processes": len(gateways),
        "backlog": sum(gateway["backlog"] for gateway in gateways),
        "oldest_unshipped_s": max(
            (gateway["oldest_age_s"] or 0 for gateway in gateways), default=0
        ),
        "routes_versions": sorted({gateway["routes_version"] for gateway in gateways}),
    }


def _ingest() -> dict[str, Any]:
    """Beat, worker and broker together: that the stream of calls is being read."""
    with _broker() as client:
        quiet_s = seconds_since_drained(client)
    if quiet_s is None:
        return {"ok": False, "problem": "no drain has run yet"}
    return {"ok": quiet_s < QUIET_S, "last_drain_s_ago": round(quiet_s, 1)}


def _supervisor() -> dict[str, Any]:
    try:
        state = json.loads((settings.DATA / "supervisor.json").read_bytes())
    except FileNotFoundError:
        return {"state": "not ours: the processes are run by something else"}
    parts = state["parts"]
    waiting = [name for name, part in parts.items() if part["state"] not in ("running", "done")]
    return {"ok": not waiting, "parts": parts}
