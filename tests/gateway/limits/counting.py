"""A limiter of its own process, as far as Redis can tell, and the limits it counts."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.conf import settings

from apps.gateway.access import Caller, Target
from apps.gateway.contract import (
    CandidateRoute,
    KeyRoute,
    LimitRoute,
    PilotRoute,
    ProviderRoute,
    RouteTable,
)
from apps.gateway.limits.cost import Need
from apps.gateway.limits.limiter import Limiter
from apps.gateway.resp import Connection

NOW = datetime.now(UTC)
PILOT = PilotRoute(1, "autumn", NOW - timedelta(9), NOW + timedelta(9), {"chat": 11})
TARGET = Target("chat", CandidateRoute(11, "cand", 5, "m"), ProviderRoute(5, "up", "http://x"))
TABLE = RouteTable(1, NOW)
NOTHING_OF_KEYS = LimitRoute("key")


class Process:
    """One gateway's view: `take` and `settle` by a limiter of its own."""

    def __init__(self, limiter: Limiter, limits: tuple[LimitRoute, ...]) -> None:
        self.limiter = limiter
        self.pilot = replace(PILOT, limits=(NOTHING_OF_KEYS, *limits))

    async def plan(self, *, key=21, person=31, now=None):
        caller = Caller(KeyRoute(key, person, 1, "developer", NOW + timedelta(9)), self.pilot)
        return self.limiter.plan(caller, TARGET, TABLE, now or datetime.now(UTC))

    async def take(self, tokens=0, nano=0, *, key=21, **more):
        caller = Caller(KeyRoute(key, 31, 1, "developer", NOW + timedelta(9)), self.pilot)
        plan = await self.plan(key=key, **more)
        return await self.limiter.take(caller, TARGET, plan, Need(tokens, nano))

    async def settle(self, taken, tokens=0, nano=0, *, ended_ms=None, **more):
        ended_ms = now_ms() if ended_ms is None else ended_ms
        self.limiter.settle(taken, Need(tokens, nano), ended_ms=ended_ms, **more)
        await self.limiter._connection.ask("PING")  # replies come in order: it has been counted


@asynccontextmanager
async def process(*limits):
    limiter = Limiter(Connection(settings.REDIS_URL))
    await limiter.connect()
    try:
        yield Process(limiter, limits)
    finally:
        await limiter.stop()


def now_ms():
    return int(datetime.now(UTC).timestamp() * 1000)
