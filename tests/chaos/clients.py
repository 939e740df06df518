"""Developers' tools that ask at random, and leave at random: before, during and after an answer."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from tests.chaos.upstream import body_of

# What is asked, how often out of a hundred, and whether it is streamed.
KINDS: Final = (
    ("chat/completions", True, 35),
    ("chat/completions", False, 20),
    ("completions", True, 15),
    ("completions", False, 10),
    ("embeddings", False, 20),
)
# How a client ends a call: it stays, leaves before the answer, in its middle, at its last byte, or
# gives up after a while.
ENDINGS: Final = (("stays", 70), ("before", 8), ("middle", 8), ("end", 7), ("time-out", 7))
LONGEST_S: Final = 30.0
PAUSE_S: Final = (0.1, 0.9)
AFTER_FAILURE_S: Final = 0.5


@dataclass
class Told:
    """What clients did and were told in one round, by the marker of each call."""

    endpoints: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    refused: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0

    @property
    def sent(self) -> int:
        return len(self.endpoints)


class Clients:
    """So many clients, each with one call at a time and any of the keys, until `stop`."""

    def __init__(self, url: str, keys: list[str], rng: random.Random, round_: int) -> None:
        self.url = url
        self.keys = keys
        self.rng = rng
        self.round = round_
        self.told = Told()
        self._is_over = False

    def stop(self) -> None:
        self._is_over = True

    async def call_once(self) -> None:
        """Make one call and stay until it has ended."""
        async with aiohttp.ClientSession() as session:
            endpoint = "chat/completions"
            await self._ask(session, self._marker(endpoint), endpoint, False, "stays")

    async def run(self) -> None:
        """Be one client."""
        timeout = aiohttp.ClientTimeout(total=LONGEST_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not self._is_over:
                try:
                    answered = await self._call(session)
                except (aiohttp.ClientError, TimeoutError, ConnectionError):
                    self.told.unanswered += 1
                    answered = False
                pause = self.rng.uniform(*PAUSE_S) if answered else AFTER_FAILURE_S
                await asyncio.sleep(pause)

    async def _call(self, session: aiohttp.ClientSession) -> bool:
        endpoint, streamed = self._kind()
        marker = self._marker(endpoint)
        (ending,) = self.rng.choices(*zip(*ENDINGS, strict=True))
        patience = LONGEST_S
        if ending == "before":
            patience = self.rng.uniform(0.0, 0.03)
        elif ending == "time-out":
            patience = self.rng.uniform(0.03, 0.3)
        async with asyncio.timeout(patience):
            return await self._ask(session, marker, endpoint, streamed, ending)

    def _marker(self, endpoint: str) -> str:
        marker = f"r{self.round:02d}-{self.told.sent + 1:06d}"
        self.told.endpoints[marker] = endpoint
        return marker

    def _kind(self) -> tuple[str, bool]:
        ((endpoint, streamed, _),) = self.rng.choices(KINDS, [weight for *_, weight in KINDS])
        return endpoint, streamed

    async def _ask(
        self,
        session: aiohttp.ClientSession,
        marker: str,
        endpoint: str,
        streamed: bool,
        ending: str,
    ) -> bool:
        headers = {
            "Authorization": f"Bearer {self.rng.choice(self.keys)}",
            "X-Request-Id": marker,
        }
        body = body_of(marker, endpoint, streamed=streamed)
        leaves_after = self.rng.randint(1, 4)
        async with session.post(f"{self.url}/v1/{endpoint}", json=body, headers=headers) as answer:
            # A refusal has no id: nothing was let through.
            if (shown := answer.headers.get("x-request-id")) is not None:
                self.told.ids[marker] = shown
            if answer.status != 200:
                self.told.refused[answer.status] += 1
                await answer.read()
                return False
            text, pieces = b"", 0
            async for piece in answer.content.iter_any():
                text += piece
                pieces += 1
                if streamed and b"[DONE]" in text:
                    self.told.whole.add(marker)
                    if ending == "end":
                        answer.close()
                        return True
                elif ending == "middle" and pieces >= leaves_after:
                    answer.close()
                    return True
            if not streamed:
                self.told.whole.add(marker)
        return True
