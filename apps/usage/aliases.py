"""Model names that developers send, as far as their tools must know them. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from apps.gateway.contract import SERVED_BY_MOST, SUFFIX

CHAT: Final = "chat/completions"
TEXT: Final = "completions"


@dataclass(frozen=True, slots=True)
class Alias:
    """A model name that developers send, and what its provider serves: names of SERVABLE.

    `role` is what a blind alias is for, and nothing else is; it has neither a candidate's name nor
    a template of one.
    """

    alias: str
    name: str
    fim_template: str = ""
    serves: Collection[str] = SERVED_BY_MOST
    role: str = ""

    @property
    def chats(self) -> bool:
        return CHAT in self.serves

    @property
    def is_for_talk(self) -> bool:
        """Whether programs that chat are pointed at it: one for edits is asked for edits."""
        return self.role in ("", "chat", "agent")

    @property
    def has_own_template(self) -> bool:
        """Whether Continue can render the prompt itself, with the candidate's template."""
        return bool(self.fim_template) and TEXT in self.serves

    @property
    def fills_in(self) -> bool:
        """Whether /fim/completions is answered. The gateway has two ways without a template."""
        return "fim/completions" in self.serves or (TEXT in self.serves and SUFFIX in self.serves)

    def does_only(self, endpoint: str) -> bool:
        """A provider says what it serves, not which of its models do: one that chats as well would
        be offered for searching code although the model behind this name is no good at it."""
        return endpoint in self.serves and not self.chats
