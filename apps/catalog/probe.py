"""Testing a provider, step by step: may we go there, does it answer, does it let us in, what does
it serve, does it stream. Whatever comes back, the test ends with sentences within a minute."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from django.conf import settings

from apps.catalog.answers import StreamReader, error_message, model_names
from apps.core.secrets import CannotOpen, open_token
from apps.gateway.contract import ProviderRoute
from apps.gateway.upstream import Exchange, Timeouts, Upstream, UpstreamFailure, UpstreamSettings

ADDRESS, CONNECT, AUTHENTICATE, MODELS, STREAM = (
    "Address allowed",
    "Connected",
    "Authenticated",
    "Models listed",
    "One streamed answer",
)
STEPS: Final = (ADDRESS, CONNECT, AUTHENTICATE, MODELS, STREAM)
TIMEOUTS: Final = Timeouts(connect=5, first_byte=30, silence=15, whole=45)
WHOLE_TEST_S: Final = 60.0
LIST_AT_MOST: Final = 8 << 20
ERROR_AT_MOST: Final = 64 << 10
STREAM_AT_MOST: Final = 1 << 20
PROMPT: Final = "Reply with the one word: ready"
NOT_CHAT: Final = re.compile(
    r"embed|bge|rerank|whisper|tts|audio|image|vision|moderation|guard|dall-e|flux|ocr", re.I
)
# Enough for a model that thinks a little before it speaks.
ANSWER_TOKENS: Final = 32


@dataclass(frozen=True, slots=True)
class Step:
    """`state` is ok, failed, unsure or skipped; `advice` says what to do about it."""

    name: str
    state: str
    detail: str = ""
    advice: str = ""
    took_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All five steps in order, and the models that the provider named."""

    steps: tuple[Step, ...]
    models: tuple[str, ...] = ()
    model: str = ""

    @property
    def passed(self) -> bool:
        return all(step.state in ("ok", "unsure") for step in self.steps)

    @property
    def failed(self) -> Step | None:
        return next((step for step in self.steps if step.state == "failed"), None)


async def probe(provider: ProviderRoute, *, model: str = "") -> Report:
    """Test a provider; the streamed answer is asked of `model`, or of the first one listed."""
    upstream_settings = UpstreamSettings(
        policy=settings.UPSTREAM_POLICY,
        keys=tuple(settings.ENCRYPTION_KEYS),
        proxy=settings.EGRESS_PROXY,
        ca_file=settings.CA_FILE,
        timeouts=TIMEOUTS,
    )
    async with Upstream(upstream_settings) as upstream:
        test = _Test(upstream, provider, model)
        try:
            async with asyncio.timeout(WHOLE_TEST_S):
                await test.run()
        except _Stopped as stopped:
            test.fail(*stopped.args)
        except UpstreamFailure as failure:
            test.fail(*_failed(failure))
        except TimeoutError:
            test.fail(
                f"Not done after {WHOLE_TEST_S:.0f} seconds.", "Try again, or check its logs."
            )
        return test.report()


class _Stopped(Exception):
    """The step under way has failed; the arguments are what is wrong and what to do."""


class _Test:
    """The state of one test; a step is under way until it is said to be over."""

    def __init__(self, upstream: Upstream, provider: ProviderRoute, model: str) -> None:
        self.upstream = upstream
        self.provider = provider
        self.model = model
        self.models: list[str] = []
        self.steps: list[Step] = []
        self.began = time.monotonic()

    async def run(self) -> None:
        verdict = await self.upstream.check(self.provider.base_url)
        if not verdict.allowed:
            advice = f"The operator would set {verdict.what_to_add}" if verdict.what_to_add else ""
            raise _Stopped(verdict.rule, advice)
        self.end("ok", verdict.rule)
        await self._ask_for_models()
        if "chat/completions" not in self.provider.serves:
            detail = "It is set to serve no chat, and this test asks for nothing else."
            self.end("unsure", detail, "The first call will tell.")
        elif not await self._ask_for_an_answer("max_tokens"):
            await self._ask_for_an_answer("max_completion_tokens")

    async def _ask_for_models(self) -> None:
        # Anthropic answers nothing without it; nobody else looks at it.
        headers = {"anthropic-version": "2023-06-01"} if self.provider.auth == "x_api_key" else {}
        async with self.upstream.open(self.provider, "GET", "models", b"", headers) as answer:
            self.end("ok", f"HTTP {answer.status}")
            if answer.status in (401, 403):
                raise _Stopped(*_refused(self.provider, await _error(answer)))
            if 300 <= answer.status < 400:
                self.end("unsure", "The address only redirects.")
                raise _Stopped("Redirects are not followed.", "Use the final address.")
            if answer.status != 200:
                said = await _error(answer)
                self.end("unsure", "The streamed answer will tell.")
                self.end("unsure", f"There is no list: HTTP {answer.status}. {said}".strip())
                return
            names = model_names(await answer.read(LIST_AT_MOST))
        self.end("ok", "" if self.provider.credential else "No credential was needed.")
        if names is None:
            self.end("unsure", "What came is not a list of models.", "Check the path.")
        else:
            self.models = names
            self.end("ok" if names else "unsure", f"{len(names):,} found")

    async def _ask_for_an_answer(self, limit: str) -> bool:
        """Ask once. False, with nothing said, where the model wants its limit by another name."""
        self.model = self.model or likely_chat_model(self.models)
        if not self.model:
            raise _Stopped("There is no model to ask.", "Type a model’s name and test again.")
        reader, first_ms, size, began = StreamReader(), None, 0, time.monotonic()
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        async with self.upstream.open(
            self.provider, "POST", "chat/completions", self._question(limit), headers
        ) as answer:
            if answer.status != 200:
                said = await _error(answer)
                if limit == "max_tokens" and "max_completion_tokens" in said:
                    return False
                raise _Stopped(*self._explained(answer.status, said))
            async for chunk in answer.chunks():
                reader.feed(chunk)
                size += len(chunk)
                if first_ms is None and reader.has_content:
                    first_ms = _ms_since(began)
                if reader.is_done or size > STREAM_AT_MOST:
                    break
        reader.finish()
        self._judge(reader, first_ms)
        return True

    def _question(self, limit: str) -> bytes:
        question: dict[str, object] = {
            "model": self.model,
            "messages": [{"role": "user", "content": PROMPT}],
            limit: ANSWER_TOKENS,
            "stream": True,
        }
        if self.provider.stream_usage == "on_request":
            question["stream_options"] = {"include_usage": True}
        return orjson.dumps(question)

    def _explained(self, status: int, said: str) -> tuple[str, str]:
        detail = f"{self.model}: HTTP {status}. {said}".strip()
        if status in (401, 403):
            return detail, _refused(self.provider, "")[1]
        if status == 404:
            return detail, "Check the model’s name, and that it serves chat."
        if status == 429:
            return detail, "Wait a little, or ask the provider for a higher limit."
        if "stream_options" in said:
            return detail, "Set “Token counts in streams” to “rejects stream_options”."
        return detail, "Try another model of the list: not every one serves chat."

    def _judge(self, reader: StreamReader, first_ms: int | None) -> None:
        if reader.error:
            raise _Stopped(f"{self.model}: {reader.error}")
        if not reader.has_content:
            self.end("unsure", f"{self.model} answered without any text.", "Try another model.")
        elif first_ms is None:
            detail = f"{self.model} answered, but not as a stream."
            self.end("unsure", detail, "Editors will show its answers only when they are whole.")
        elif reader.completion_tokens is None or reader.prompt_tokens is None:
            advice = "It told no token counts: they will be estimated from what passes by."
            self.end("ok", f"{self.model}: first token after {first_ms:,} ms", advice)
        else:
            counts = f"{reader.prompt_tokens:,} tokens in, {reader.completion_tokens:,} out"
            self.end("ok", f"{self.model}: first token after {first_ms:,} ms; {counts}")

    def end(self, state: str, detail: str = "", advice: str = "") -> None:
        """The step under way is over."""
        took_ms, self.began = _ms_since(self.began), time.monotonic()
        name = STEPS[len(self.steps)]
        self.steps.append(
            Step(name, state, self._without_secret(detail), self._without_secret(advice), took_ms)
        )

    def fail(self, detail: str, advice: str = "") -> None:
        """The step under way has failed, and what follows cannot be tried."""
        self.end("failed", detail, advice)
        self.steps += [Step(name, "skipped") for name in STEPS[len(self.steps) :]]

    def report(self) -> Report:
        return Report(tuple(self.steps), tuple(self.models), self.model)

    def _without_secret(self, text: str) -> str:
        # Some providers repeat the key that they refuse.
        try:
            secret = open_token(self.provider.credential, settings.ENCRYPTION_KEYS)
        except (CannotOpen, ValueError):
            return text
        return text.replace(secret, "…") if secret else text


def likely_chat_model(names: Sequence[str]) -> str:
    """Return the first name that does not say that it is for something else, or an empty text."""
    return next((name for name in names if not NOT_CHAT.search(name)), names[0] if names else "")


async def _error(answer: Exchange) -> str:
    try:
        return error_message(await answer.read(ERROR_AT_MOST))
    except UpstreamFailure:
        return ""


def _refused(provider: ProviderRoute, said: str) -> tuple[str, str]:
    detail = f"The provider refuses us. {said}".strip()
    if not provider.credential:
        return detail, "Set a credential."
    return detail, "Replace the credential, or choose the other kind of authentication."


def _failed(failure: UpstreamFailure) -> tuple[str, str]:
    return failure.detail, {
        "credential": "Set it again, or restore the key it was sealed with.",
        "connect": "Check host and port, and that the server is running.",
        "tls": "Add the authority that signed the certificate to this provider.",
        "first_byte": "A model that is being loaded can take this long; try again.",
    }.get(failure.kind, "")


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
