"""What the rating widget shows of a call. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.feedback.scales import DOWN, STARS, UP
from apps.feedback.words import BAD_TAGS, GOOD_TAGS, LONGEST_COMMENT
from apps.pilots.models import RatingScale


@dataclass(frozen=True, slots=True)
class Given:
    """What a person said of a call: the rating ("up", "down" or 1 to 5), and in words."""

    rating: str
    words: str
    is_liked: bool
    tags: tuple[str, ...]
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Button:
    """One press that rates. `key` is the letter or digit that presses it."""

    value: str
    label: str
    key: str
    is_pressed: bool

    @property
    def is_up(self) -> bool:
        return self.value == UP


@dataclass(frozen=True, slots=True)
class TagChoice:
    """One tag of the reason. `text` is what is shown and stored."""

    text: str
    is_checked: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a person said of a call before they changed or withdrew it."""

    words: str
    tags: tuple[str, ...]
    comment: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where one rates a call: its own page, and where ratings and withdrawals are sent.

    `by_link` says that the address itself names the rater: no cookie is read and none is set.
    """

    page: str
    give: str
    withdraw: str
    by_link: bool = False


@dataclass(frozen=True, slots=True)
class RatingCard:
    """One call as its maker rates it, and nothing of its content.

    `alias` is the model name that was asked for, `length` output tokens, `total_ms` the duration.
    A blind call has no candidate, position, length or duration. `given` is None before a rating,
    and after it was withdrawn. `is_open` says whether a rating would be taken, `is_sampled` that
    chance picked this answer, `offered` is the pilot's own tags.
    """

    call_id: UUID
    pilot_slug: str
    addresses: Addresses
    at: datetime
    alias: str
    is_blind: bool
    candidate: str
    position: int | None
    task: str
    length: int | None
    total_ms: int | None
    scale: str
    offered: tuple[str, ...]
    is_open: bool
    is_sampled: bool
    given: Given | None
    is_withdrawn: bool

    @property
    def has_stars(self) -> bool:
        return self.scale == RatingScale.STARS

    @property
    def buttons(self) -> list[Button]:
        given = self.given.rating if self.given else ""
        if self.has_stars:
            ends = {1: "1 of 5, useless", 5: "5 of 5, excellent"}
            return [
                Button(str(star), ends.get(star, f"{star} of 5"), str(star), given == str(star))
                for star in STARS
            ]
        return [
            Button(UP, "Good answer", "u", given == UP),
            Button(DOWN, "Bad answer", "d", given == DOWN),
        ]

    @property
    def tags(self) -> list[TagChoice]:
        """The tags on offer, those that fit the rating first, and those that came by request."""
        chosen = self.given.tags if self.given else ()
        likes = self.given is None or self.given.is_liked
        ours = GOOD_TAGS + BAD_TAGS if likes else BAD_TAGS + GOOD_TAGS
        texts = dict.fromkeys((*(self.offered or ours), *chosen))
        return [TagChoice(text, text in chosen) for text in texts]

    @property
    def longest_comment(self) -> int:
        return LONGEST_COMMENT

    @property
    def has_reason(self) -> bool:
        return self.given is not None and bool(self.given.tags or self.given.comment)
