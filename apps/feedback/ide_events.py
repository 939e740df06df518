"""What Continue tells of itself: its development data, schemas 0.1.0 and 0.2.0, as it sends them.

A body is `{name, data, schema, level, profileId}`. Of `data` only the fields below are looked at,
whatever else is in it: no code, no path and no name of a repository leaves this module. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson

from apps.feedback.ide_words import language_of, model_name, tool_of
from apps.feedback.ids import call_id_of

SCHEMAS: Final = ("0.1.0", "0.2.0")
AUTOCOMPLETE: Final = "autocomplete"
NEXT_EDIT: Final = "nextEditOutcome"
EDIT_OUTCOME: Final = "editOutcome"
CHAT_FEEDBACK: Final = "chatFeedback"
TOKENS: Final = "tokensGenerated"
TOOL: Final = "toolUsage"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST: Final = 2**31 - 1
_LONGEST_TEXT: Final = 1_000


class BadEvent(Exception):
    """An event of a known name and schema that is not what its schema says."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.message, self.param = message, param


@dataclass(frozen=True, slots=True)
class IdeReport:
    """What is kept of an event, before anything is looked up.

    `models` are the names it gives for the model, the most telling first. `told_at` is the time by
    the editor's clock, None where it tells none; `stamp` is the same as it was written. `task` is
    what the model was used for, as far as the event's kind tells. `marks` are what tells the event
    from others of its kind and time.
    """

    kind: str
    schema: str
    task: str = ""
    models: tuple[str, ...] = ()
    provider: str = ""
    told_at: datetime | None = None
    stamp: str = ""
    is_accepted: bool | None = None
    language: str = ""
    prompt_tokens: int | None = None
    generated_tokens: int | None = None
    tool: str = ""
    has_succeeded: bool | None = None
    completion: UUID | None = None
    marks: tuple[object, ...] = field(default=(), repr=False)

    def digest(self, received_at: datetime) -> str:
        """Return what is the same for the same event, whichever key it comes with.

        Events of 0.1.0 without a time are told apart by the second that they come in.
        """
        when = self.stamp or f"{received_at:%Y-%m-%dT%H:%M:%S}"
        return sha256(orjson.dumps([self.kind, when, *self.marks])).hexdigest()


class Fields:
    """The fields of an event's data, by type. What is null is not there."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    def text(self, name: str) -> str:
        """Return a text without what no database takes: halves of characters, and NULs."""
        value = self._data.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise BadEvent(f"The field {name!r} of the event's data is a text.", f"data.{name}")
        clean = value[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
        return clean.replace("\0", "")

    def flag(self, name: str) -> bool | None:
        value = self._data.get(name)
        if value is not None and not isinstance(value, bool):
            raise BadEvent(
                f"The field {name!r} of the event's data is true or false.", f"data.{name}"
            )
        return value

    def count(self, name: str) -> int | None:
        value = self._data.get(name)
        if value is None:
            return None
        # True is a whole number to Python, and to nobody else.
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
            message = f"The field {name!r} of the event's data is a whole number, 0 or more."
            raise BadEvent(message, f"data.{name}")
        return value

    def has_items(self, name: str) -> bool:
        value = self._data.get(name)
        return isinstance(value, list) and bool(value)

    def time(self) -> tuple[datetime | None, str]:
        """Return the event's time and how it was written: ISO 8601, or ms since 1970."""
        value = self._data.get("timestamp")
        if value is None:
            return None, ""
        try:
            if isinstance(value, int | float) and not isinstance(value, bool):
                at = _EPOCH + timedelta(milliseconds=value)
            else:
                at = datetime.fromisoformat(value)
            at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
            return at, f"{at:%Y-%m-%dT%H:%M:%S.%f}"
        except (ValueError, TypeError, OverflowError):
            message = "The field 'timestamp' is a time in ISO 8601, or ms since 1970."
            raise BadEvent(message, "data.timestamp") from None


Reader = Callable[[Fields], dict[str, Any]]


def _autocomplete(data: Fields) -> dict[str, Any]:
    return {
        "task": "autocomplete",
        "is_accepted": data.flag("accepted"),
        "language": _language(data, "filepath"),
        "marks": (data.text("completionId"), data.text("uniqueId")),
    }


def _next_edit(data: Fields) -> dict[str, Any]:
    # One that was taken back before anybody could see it was neither accepted nor rejected.
    accepted = None if data.flag("aborted") else data.flag("accepted")
    return {
        "task": "autocomplete",
        "is_accepted": accepted,
        "language": _language(data, "fileUri"),
        "completion": call_id_of(data.text("requestId")),
        "marks": (data.text("completionId"), data.text("uniqueId")),
    }


def _feedback(data: Fields) -> dict[str, Any]:
    liked = data.flag("feedback")
    return {
        "task": "chat",
        "is_accepted": liked,
        "marks": (data.text("sessionId"), *_models(data), liked),
    }


def _interaction(data: Fields) -> dict[str, Any]:
    return {
        "task": "agent" if data.has_items("tools") else "chat",
        "marks": (data.text("sessionId"), *_models(data)),
    }


def _edit(data: Fields) -> dict[str, Any]:
    return {"task": "edit", "language": _language(data, "filepath"), "marks": _models(data)}


def _edit_outcome(data: Fields) -> dict[str, Any]:
    accepted = data.flag("accepted")
    lines = (data.count("previousCodeLines"), data.count("newCodeLines"))
    return {
        "task": "edit",
        "is_accepted": accepted,
        "language": _language(data, "filepath"),
        "marks": (*_models(data), accepted, *lines),
    }


def _tokens(data: Fields) -> dict[str, Any]:
    sent, made = data.count("promptTokens"), data.count("generatedTokens")
    marks = (data.text("model"), data.text("provider"), sent, made)
    return {"prompt_tokens": sent, "generated_tokens": made, "marks": marks}


def _tool(data: Fields) -> dict[str, Any]:
    accepted, name = data.flag("accepted"), data.text("functionName")
    return {
        "task": "agent",
        "is_accepted": accepted,
        "has_succeeded": data.flag("succeeded"),
        "tool": tool_of(name),
        "marks": (data.text("toolCallId"), name, accepted),
    }


READERS: Final[Mapping[str, Reader]] = {
    AUTOCOMPLETE: _autocomplete,
    CHAT_FEEDBACK: _feedback,
    "chatInteraction": _interaction,
    "editInteraction": _edit,
    EDIT_OUTCOME: _edit_outcome,
    NEXT_EDIT: _next_edit,
    TOKENS: _tokens,
    TOOL: _tool,
}


def read_event(body: Mapping[str, Any]) -> IdeReport | None:
    """Return what is kept of an event; None for a name or a schema that nothing is kept of.

    Raises BadEvent.
    """
    name, schema, data = body.get("name"), body.get("schema"), body.get("data")
    if not isinstance(name, str):
        raise BadEvent("Say which event it is: the field 'name' is a text.", "name")
    if not isinstance(schema, str):
        raise BadEvent("Say of which version: the field 'schema' is a text.", "schema")
    if not isinstance(data, dict):
        raise BadEvent("The field 'data' is an object, what the event tells.", "data")
    if name not in READERS or schema not in SCHEMAS:
        return None
    fields = Fields(data)
    told_at, stamp = fields.time()
    return IdeReport(
        kind=name,
        schema=schema,
        models=_models(fields),
        provider=fields.text("modelProvider") or fields.text("provider"),
        told_at=told_at,
        stamp=stamp,
        **READERS[name](fields),
    )


def _models(data: Fields) -> tuple[str, ...]:
    """The title first: what stands in `modelName` differs from kind to kind."""
    names = (data.text(name) for name in ("modelTitle", "modelName", "model"))
    return tuple(name for name in names if name)


def _language(data: Fields, path: str) -> str:
    named = data.text("language") or data.text("languageId")
    return language_of(data.text(path), named)


def local_name(report: IdeReport) -> str:
    """Return the name of a model on the developer's machine, as it may be stored."""
    return next((name for name in map(model_name, report.models) if name), "")
