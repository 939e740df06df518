"""What lives as long as the process: connections, journal, route table, background loops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from apps.core.addresses import Network
from apps.gateway import meters, metrics
from apps.gateway.asgi import Receive, Send
from apps.gateway.attempts import Attempts
from apps.gateway.breaker import Breakers
from apps.gateway.call_log import CallLog
from apps.gateway.contract import UNLESS_SET, UNSEEDED_KEY
from apps.gateway.deadlines import Deadlines
from apps.gateway.events import MAX_EVENT
from apps.gateway.journal import open_journal
from apps.gateway.ledger import Ledger
from apps.gateway.limits.limiter import Limiter
from apps.gateway.limits.plan import unless_set
from apps.gateway.limits.quotas import Quotas
from apps.gateway.limits.slots import PER_PROCESS, Slots
from apps.gateway.pages import Pages
from apps.gateway.recording import Recorder
from apps.gateway.refusals import Refusals
from apps.gateway.relay import Relay
from apps.gateway.resp import Connection, Refused, Unavailable
from apps.gateway.routes import Routes
from apps.gateway.shipping import KEEP_SECONDS, Shipper
from apps.gateway.upstream import Upstream, UpstreamSettings

RESTART_SECONDS: Final = 1.0
GAUGE_SECONDS: Final = 1.0
LAST_SHIPPING_SECONDS: Final = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the composition root knows. `data` is the folder that survives restarts.

    `call_log` is the file descriptor that takes a line for each call, or None. `token_key` is that
    of core.internal_tokens; without it no token is taken.
    """

    data: Path
    redis_url: str
    web_url: str
    upstream: UpstreamSettings = field(default_factory=UpstreamSettings)
    trusted_proxies: tuple[Network, ...] = ()
    keep_seconds: float = KEEP_SECONDS
    calls_per_key: int | None = UNLESS_SET.at_once
    calls_per_process: int = PER_PROCESS
    event_bytes: int = MAX_EVENT
    call_log: int | None = None
    token_key: bytes = field(default=b"", repr=False)


class Service:
    """Everything that calls share. Started and stopped by the server's lifespan."""

    routes: Routes
    slots: Slots
    limiter: Limiter
    quotas: Quotas
    pages: Pages
    refusals: Refusals
    ledger: Ledger
    recorder: Recorder
    attempts: Attempts
    relay: Relay

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.routes = Routes(settings.data / "gateway" / "routes.json")
        self.slots = Slots(per_process=settings.calls_per_process)
        self.breakers = Breakers(self.routes)
        self.deadlines = Deadlines()
        self.log: CallLog | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except OSError as error:
            message = f"the journal cannot be opened: {error}"
            await send({"type": "lifespan.startup.failed", "message": message})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def start(self) -> None:
        """Raises OSError where the journal's folder cannot be made."""
        settings = self.settings
        root = settings.data / "journal"
        # Following the routes must not wait behind a batch of records, nor these behind it.
        self._shipping = Connection(settings.redis_url)
        self._asking = Connection(settings.redis_url)
        self._listening = Connection(settings.redis_url)
        self.limiter = Limiter(
            Connection(settings.redis_url), unless_set=unless_set(settings.calls_per_key)
        )
        self.shipper = Shipper(
            root,
            self._shipping,
            routes_version=lambda: self.routes.version,
            keep_seconds=settings.keep_seconds,
        )
        self.journal = open_journal(root, self.shipper.wake)
        self.shipper.folders.append(self.journal)
        longest = settings.upstream.timeouts.whole
        self.ledger = Ledger(self.journal, self._asking, longest_seconds=longest)
        self.refusals = Refusals(self._asking)
        self.upstream = Upstream(settings.upstream)
        if settings.call_log is not None:
            self.log = CallLog(settings.call_log)
        self.recorder = Recorder(self.ledger, self.log)
        self.quotas = Quotas(self.limiter, self.recorder.calibration)
        self.attempts = Attempts(
            self.routes, self.breakers, seconds=settings.upstream.timeouts.first_byte
        )
        self.relay = Relay(
            self.upstream, self.recorder, self.attempts, most_event=settings.event_bytes
        )
        self.pages = Pages(settings.web_url, settings.trusted_proxies)
        await asyncio.to_thread(self.routes.load)
        with contextlib.suppress(Unavailable):
            await self.routes.refresh(self._asking)
        with contextlib.suppress(Unavailable, Refused):
            await self.limiter.connect()
        name = self.journal.path.name
        for loop in (
            self.journal.keep,
            self.shipper.ship_for_ever,
            self.shipper.adopt_for_ever,
            lambda: self.shipper.beat_for_ever(name),
            self.ledger.retry_for_ever,
            self.refusals.flush_for_ever,
            self.limiter.keep,
            lambda: self.routes.follow(self._asking),
            lambda: self.routes.listen(self._listening, self._asking),
            self._gauges,
        ):
            self._tasks.append(asyncio.create_task(_kept_running(loop)))

    async def stop(self) -> None:
        """Ship what can be shipped in two seconds; the rest is adopted by the next process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(LAST_SHIPPING_SECONDS):
                while await self.shipper.ship_once():
                    pass
                await self.refusals.flush()
        await self.limiter.stop()
        await self.upstream.aclose()
        await self.pages.aclose()
        for connection in (self._shipping, self._asking, self._listening):
            connection.close()
        self.shipper.close()
        self.journal.close()
        if self.log is not None:
            await asyncio.to_thread(self.log.close)
        self._set_gauges()

    async def _gauges(self) -> None:
        while True:
            self._set_gauges()
            with contextlib.suppress(Unavailable, Refused):
                metrics.LIMITER_UNSEEDED.set(int(await self._asking.ask("SCARD", UNSEEDED_KEY)))
            await asyncio.sleep(GAUGE_SECONDS)

    def _set_gauges(self) -> None:
        meters.hand_over()
        metrics.RUNNING.set(self.slots.running)
        metrics.BACKLOG.set(self.shipper.backlog + self.ledger.unwritten)
        metrics.OLDEST.set(self.shipper.oldest_age())
        metrics.SHIPPING.set(self.shipper.is_connected)
        table = self.routes.table
        age = (datetime.now(UTC) - table.built_at).total_seconds()
        metrics.set_routes(version=table.version, age_seconds=age)
        states = self.breakers.states(time.monotonic())
        metrics.set_breakers({slug: state for slug, (state, _) in states.items()})
        metrics.LIMITER_LOCAL.set(self.limiter.is_alone)
        metrics.count_limits(self.limiter.counts)
        if self.log is not None:
            metrics.LOG_DROPPED.inc(self.log.take_dropped())


async def _kept_running(loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop that must not end: an error in it is logged and it begins anew."""
    while True:
        try:
            await loop()
        except Exception as error:  # whatever it is, the other loops and the calls go on
            # Its text may show an address with a password; type and place are enough to find it.
            place = traceback.extract_tb(error.__traceback__)[-1]
            log.error(
                "a background loop failed: %s at %s:%s",
                type(error).__name__,
                place.filename,
                place.lineno,
            )
        await asyncio.sleep(RESTART_SECONDS)
