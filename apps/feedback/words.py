"""The tags and comments that come with a rating. Pure."""

import re
from collections.abc import Iterable
from typing import Final

# Offered on the page; others may come with a request.
GOOD_TAGS: Final = ("correct", "saved time", "clear")
BAD_TAGS: Final = ("wrong", "incomplete", "made up", "ignored the request", "too long", "slow")
OFFERED_TAGS: Final = GOOD_TAGS + BAD_TAGS
MOST_TAGS: Final = 8
# What a pilot may offer of its own, instead of ours.
MOST_OFFERED: Final = 12
LONGEST_COMMENT: Final = 2_000
_TAG: Final = re.compile(r"[a-z0-9][a-z0-9 _-]{0,39}")
# PostgreSQL stores no NUL; the others draw nothing and may hide what is there.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class BadTag(Exception):
    """A tag that is none. The message says what one is."""


class BadComment(Exception):
    """A comment that is too long or holds control characters."""


def checked_tags(tags: Iterable[str]) -> list[str]:
    """Return the tags in lower case, each once, in the order given. Raises BadTag."""
    found = _cleaned(tags)
    if len(found) > MOST_TAGS:
        raise BadTag(f"At most {MOST_TAGS} tags go with a rating.")
    return found


def checked_offer(tags: Iterable[str]) -> list[str]:
    """Return the tags that a pilot offers, in the same form. Raises BadTag."""
    found = _cleaned(tags)
    if len(found) > MOST_OFFERED:
        raise BadTag(f"At most {MOST_OFFERED} tags are offered: more are not read.")
    return found


def offered_tags(own: Iterable[str]) -> tuple[str, ...]:
    """Return what a pilot's pages offer: its own tags, or ours where it has none."""
    return tuple(own) or OFFERED_TAGS


def _cleaned(tags: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(" ".join(tag.lower().split()) for tag in tags))
    for tag in found:
        if not _TAG.fullmatch(tag):
            raise BadTag("A tag is 1 to 40 letters a to z, digits, blanks, dashes or underscores.")
    return found


def checked_comment(comment: str) -> str:
    """Return the comment without blanks around it. Raises BadComment."""
    comment = comment.replace("\r\n", "\n").strip()
    if len(comment) > LONGEST_COMMENT:
        raise BadComment(f"A comment has at most {LONGEST_COMMENT:,} characters.")
    if _CONTROLS.search(comment):
        raise BadComment("A comment is plain text without control characters.")
    return comment
