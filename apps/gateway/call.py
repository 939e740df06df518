"""One call that was let through: what is known of it, and the record that follows from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from apps.core.uuid7 import instant_of, new_uuid7
from apps.gateway.access import Caller, Target
from apps.gateway.asgi import Headers
from apps.gateway.contract import Attempt, CallRecord
from apps.gateway.drivers.wire import Wire
from apps.gateway.drivers.wires import WIRES
from apps.gateway.estimate import Calibration
from apps.gateway.request import Request, is_rateable
from apps.gateway.upstream import Try
from apps.gateway.usage_tap import MOST_TOKENS, Usage, UsageTap

PREFIXES: Final = {
    "chat/completions": "chatcmpl-",
    "completions": "cmpl-",
    "fim/completions": "chatcmpl-",
}
# These generate nothing, so that servers leave the count out.
NOTHING_WRITTEN: Final = ("embeddings", "rerank")
CANCELLED: Final = 499
# Where a call comes from: a developer's own tools, or a comparison that we make for one.
GATEWAY: Final = "gateway"
COMPARE: Final = "compare"
# Somebody may send a bill for these. For a broken stream too, as far as anything came of it; a
# provider that failed otherwise is not paid.
ESTIMATED_OUTCOMES: Final = ("ok", "client_cancelled", "stream_broken")

NOT_STATED: Final = Usage(None, None, None)


@dataclass(frozen=True, slots=True)
class Told:
    """What the client said about itself in headers."""

    task: str = ""
    session: str = ""
    request_id: str = ""
    client: str = ""
    retry: int | None = None
    trace_id: str = ""


@dataclass(slots=True)
class Call:
    """`target` is who answers; `asked` who was asked first and could not, where that is another.

    `begun` and all later instants are in seconds of `time.monotonic()`.

    The event loop's own clock counts whole milliseconds only, too coarse for our overhead.
    """

    caller: Caller
    target: Target
    request: Request
    endpoint: str
    task: str
    told: Told
    begun: float
    asked: Target | None = None
    limit_headers: Headers = field(default_factory=list)
    # Takes the call from the limits of another candidate, before that one answers in its place.
    takes_at: Callable[[Target], Awaitable[bool]] | None = None
    uuid: UUID = field(default_factory=new_uuid7)
    wire: Wire = field(init=False)
    tap: UsageTap = field(init=False)
    status: int | None = None
    sent: float | None = None
    first_byte: float | None = None
    first_content: float | None = None
    last_byte: float | None = None
    response_bytes: int = 0
    upstream_request_id: str = ""
    tries: list[Try] = field(default_factory=list)
    earlier: tuple[Attempt, ...] = ()
    record: CallRecord | None = None
    id: str = ""

    def __post_init__(self) -> None:
        self.id = str(self.uuid)
        self.wire = WIRES[self.endpoint]
        self.tap = self.wire.new_tap()

    @property
    def completion_id(self) -> str:
        """The id in the answer's body; empty where the format's own ids stay."""
        prefix = PREFIXES.get(self.endpoint)
        return f"{prefix}{self.uuid.hex}" if prefix else ""

    @property
    def is_blind(self) -> bool:
        """Whether the developer must not know who answers."""
        return self.caller.is_blind(self.target.alias)

    @property
    def source(self) -> str:
        return GATEWAY if self.caller.ticket is None else COMPARE

    @property
    def admitted_at(self) -> datetime:
        return instant_of(self.uuid)

    def see_bytes(self, now: float, count: int) -> None:
        if self.first_byte is None:
            self.first_byte = now
        self.last_byte = now
        self.response_bytes += count

    def put_aside(self, now: float) -> None:
        """Keep what was tried for the record, and be ready for the next attempt."""
        self.earlier += tuple([self._attempt(one, now) for one in self.tries])
        self.tries = []
        self.status = self.first_byte = self.last_byte = None
        self.response_bytes = 0
        self.upstream_request_id = ""

    def admitted(self) -> CallRecord:
        """Return the record that is true if we die before the call ends."""
        return CallRecord(
            id=self.id,
            admitted_at=self.admitted_at,
            pilot_id=self.caller.pilot.id,
            person_id=self.caller.key.person_id,
            key_id=self.caller.key_id,
            candidate_id=self.target.candidate.id,
            provider_id=self.target.provider.id,
            alias=self.target.alias,
            endpoint=self.endpoint,
            task=self.task,
            outcome="crashed_unknown",
            source=self.source,
            session=self.told.session,
            streamed=self.request.streamed,
            request_bytes=len(self.request.body),
            client_request_id=self.told.request_id,
            client=self.told.client,
            client_retry=self.told.retry,
            assigned_candidate_id=self.target.assigned_id,
        )

    def finished(
        self, outcome: str, error: str, now: float, calibration: Calibration
    ) -> CallRecord:
        """Return the record of how it ended, and teach the calibration what it shows."""
        prompt, cached, completion, source = self._tokens(outcome, calibration)
        return CallRecord(
            id=self.id,
            admitted_at=self.admitted_at,
            pilot_id=self.caller.pilot.id,
            person_id=self.caller.key.person_id,
            key_id=self.caller.key_id,
            candidate_id=self.target.candidate.id,
            provider_id=self.target.provider.id,
            alias=self.target.alias,
            endpoint=self.endpoint,
            task=self.task,
            outcome=outcome,
            source=self.source,
            session=self.told.session,
            streamed=self.request.streamed,
            status=CANCELLED if outcome == "client_cancelled" else self.status,
            first_byte_ms=self._ms(self.first_byte),
            first_content_ms=self._ms(self.first_content),
            total_ms=self._ms(now),
            overhead_us=self._overhead(now),
            prompt_tokens=prompt,
            cached_tokens=cached,
            completion_tokens=completion,
            usage_source=source,
            finish_reason=self.tap.finish_reason,
            tool_calls=self.tap.tool_calls,
            error=error,
            attempts=self.earlier + tuple([self._attempt(one, now) for one in self.tries]),
            request_bytes=len(self.request.body),
            response_bytes=self.response_bytes,
            client_request_id=self.told.request_id,
            upstream_request_id=self.upstream_request_id,
            client=self.told.client,
            client_retry=self.told.retry,
            # What was asked for a comparison is judged there.
            rateable=self.source == GATEWAY
            and is_rateable(
                outcome=outcome,
                task=self.task,
                endpoint=self.endpoint,
                is_title=self.request.is_title,
                finish_reason=self.tap.finish_reason,
            ),
            assigned_candidate_id=self.target.assigned_id,
        )

    def _tokens(
        self, outcome: str, calibration: Calibration
    ) -> tuple[int | None, int | None, int | None, str]:
        candidate, asked = self.target.candidate.id, len(self.request.body)
        most, written = self.request.most_tokens, self.tap.content_bytes
        usage = self.tap.usage() or (NOT_STATED if self._may_be_billed(outcome) else None)
        if usage is None:
            return None, None, None, "none"
        prompt, cached, completion = usage.prompt, usage.cached, usage.completion
        if completion is None and self.endpoint in NOTHING_WRITTEN:
            completion = 0
        # Some count at the start or as they go, so who leaves has been given more than was counted.
        uncounted = written - self.tap.counted_bytes if outcome in ESTIMATED_OUTCOMES else 0
        if outcome == "ok":
            calibration.learn(
                candidate,
                prompt=(asked, prompt),
                completion=(written, None if uncounted else usage.completion),
                is_capped=most is not None,
            )
        if prompt is not None and completion is not None and not uncounted:
            return prompt, cached, completion, "provider"
        if prompt is None:
            prompt = calibration.prompt_tokens(candidate, asked)
            cached = None if cached is None else min(cached, prompt)
        if completion is None:
            completion = calibration.completion_tokens(candidate, written, most)
        elif uncounted:
            more = completion + calibration.completion_tokens(candidate, uncounted, None)
            completion = max(completion, min(more, MOST_TOKENS if most is None else most))
        return prompt, cached, completion, "estimated"

    def _may_be_billed(self, outcome: str) -> bool:
        """Tell whether somebody may send a bill for a call of which no usage was stated."""
        if outcome not in ESTIMATED_OUTCOMES or not (self.tries and self.tries[-1].was_sent):
            return False
        # A stream that the provider broke off has come to nothing until it had content.
        return outcome != "stream_broken" or self.status is None or self.tap.has_content

    def _overhead(self, now: float) -> int:
        """Our own time: until the request left, and after the provider's last byte."""
        before = (self.sent or now) - self.begun
        after = now - self.last_byte if self.last_byte is not None else 0.0
        return max(0, round((before + after) * 1_000_000))

    def _attempt(self, one: Try, now: float) -> Attempt:
        return Attempt(
            candidate_id=self.target.candidate.id,
            started_ms=self._ms(one.started) or 0,
            ended_ms=self._ms(one.ended or now) or 0,
            status=one.status,
            error=one.error,
        )

    def _ms(self, instant: float | None) -> int | None:
        return None if instant is None else max(0, round((instant - self.begun) * 1_000))
