"""An answer as pages show it: words as they are, and code apart. Nothing in it is markup. Pure."""

import re
from dataclasses import dataclass
from typing import Final

_FENCE: Final = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of an answer. `language` is what the answer calls its code."""

    text: str
    is_code: bool = False
    language: str = ""


def blocks_of(text: str) -> list[Block]:
    """Cut an answer at its code fences; one that is never closed reaches to the end."""
    found: list[Block] = []
    lines: list[str] = []
    fence, language = "", ""
    for line in text.replace("\r\n", "\n").split("\n"):
        edge = _FENCE.match(line)
        if not fence and edge:
            _add(found, lines)
            fence, language = edge["fence"], edge["info"].split(" ")[0][:30]
        elif fence and _closes(line, fence):
            found.append(Block("\n".join(lines), True, language))
            fence = ""
        else:
            lines.append(line)
            continue
        lines = []
    if fence:
        found.append(Block("\n".join(lines), True, language))
    else:
        _add(found, lines)
    return found


def _closes(line: str, fence: str) -> bool:
    rest = line.strip()
    return len(rest) >= len(fence) and set(rest) == {fence[0]}


def _add(found: list[Block], lines: list[str]) -> None:
    if words := "\n".join(lines).strip():
        found.append(Block(words))
