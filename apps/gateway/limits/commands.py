"""The commands by which limits are asked and settled, as the bytes that are sent."""

from __future__ import annotations

from hashlib import sha1
from pathlib import Path
from typing import Final

from apps.gateway.contract import UNSEEDED_KEY
from apps.gateway.limits.cost import Need
from apps.gateway.limits.plan import AT_ONCE, MONEYS, REQUESTS, TOKENS, Counter, Plan
from apps.gateway.resp import Command, packed, packed_argument

RESERVE: Final = (Path(__file__).parent / "reserve.lua").read_bytes()
SETTLE: Final = (Path(__file__).parent / "settle.lua").read_bytes()
RESERVE_SHA: Final = sha1(RESERVE, usedforsecurity=False).hexdigest()
SETTLE_SHA: Final = sha1(SETTLE, usedforsecurity=False).hexdigest()
LEASE_SECONDS: Final = 6
# Keys and limits come and go for as long as a connection lasts.
CACHE_LIMIT: Final = 4_096
# A counter, what was reserved of it, and what was used.
Change = tuple[Counter, int, int]


class Epoch:
    """The names and commands of one connection of one process. `prefix` names the server's run."""

    def __init__(self, prefix: str, name: str) -> None:
        self.prefix = prefix
        self.name = name
        self.lease_name = f"{prefix}lease:{name}"
        self.lease = packed(("SET", self.lease_name, 1, "EX", LEASE_SECONDS))
        self._packed_name = _arguments(name)
        self._names: dict[str, bytes] = {}
        self._tail = _arguments(name, f"{prefix}lease:", UNSEEDED_KEY)

    def reserve(self, plan: Plan, need: Need) -> bytes:
        head = plan.packed.get(self.prefix)
        if head is None:
            plan.packed.clear()
            head = plan.packed[self.prefix] = self._head(plan)
        return b"%b%b%b%b" % (head, _number(need.tokens), _number(need.nano_usd), self._tail)

    def settle(self, changes: list[Change], ended_ms: int) -> bytes:
        count = len(changes)
        keys, values = [], []
        for counter, held, used in changes:
            name = self._names.get(counter.name)
            if name is None:
                if len(self._names) >= CACHE_LIMIT:
                    self._names.clear()
                name = self._names[counter.name] = _arguments(self.prefix + counter.name)
            keys.append(name)
            values.append(b"%b%b%b" % (counter.head, _number(held), _number(used)))
        return b"*%d\r\n%b%b%b%b%b%b" % (
            5 + 5 * count,
            _SETTLE,
            _number(count),
            b"".join(keys),
            b"".join(values),
            _number(ended_ms),
            self._packed_name,
        )

    def registration(self, plan: Plan, need: Need) -> list[Command]:
        """Return the commands that say that a call is running which was taken under another."""
        commands: list[Command] = []
        for counter in plan.counters:
            name = self.prefix + counter.name
            if counter.kind == AT_ONCE:
                commands.append(("HINCRBY", name, f"c:{self.name}", 1))
            elif counter.kind in MONEYS and need.nano_usd:
                commands.append(("HINCRBY", name, f"h:{self.name}", need.nano_usd))
        return commands

    def _head(self, plan: Plan) -> bytes:
        """Return the command up to the amounts, which alone differ from call to call."""
        values = [
            str(value)
            for one in plan.counters
            for value in (one.kind, one.size, one.start_ms, _flag(one))
        ]
        names = [self.prefix + one.name for one in plan.counters]
        arguments = ("EVALSHA", RESERVE_SHA, str(len(names)), *names, *values)
        return b"*%d\r\n" % (len(arguments) + 5) + _arguments(*arguments)


def changes_of(plan: Plan, need: Need, used: Need, *, was_let_through: bool) -> list[Change]:
    """Return what a call that has ended changes, beside the request that it was."""
    changes: list[Change] = []
    for counter in plan.counters:
        if counter.kind == AT_ONCE or (counter.kind == REQUESTS and not was_let_through):
            changes.append((counter, 1, 0))
        elif counter.kind == TOKENS and need.tokens != used.tokens:
            changes.append((counter, need.tokens, used.tokens))
        elif counter.kind in MONEYS and (need.nano_usd or used.nano_usd):
            changes.append((counter, need.nano_usd, used.nano_usd))
    return changes


def _flag(counter: Counter) -> int:
    """Return whether a limit of money is hard, or what is left of another may be told."""
    return int(counter.is_hard if counter.kind in MONEYS else counter.is_told)


def _number(value: int) -> bytes:
    return packed_argument(b"%d" % value)


def _arguments(*texts: str) -> bytes:
    return b"".join([packed_argument(text.encode()) for text in texts])


_SETTLE: Final = _arguments("EVALSHA", SETTLE_SHA)
