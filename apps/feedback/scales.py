"""Ratings as people write them, and the scores they are stored as. Pure.

A pilot uses one scale: thumbs ("up", "down", stored as 1 and 0) or stars (1 to 5).
"""

from typing import Final

from apps.pilots.models import RatingScale

UP: Final = "up"
DOWN: Final = "down"
STARS: Final = range(1, 6)
LIKED_FROM: Final = {RatingScale.THUMBS: 1, RatingScale.STARS: 4}
_THUMBS: Final = {UP: 1, DOWN: 0}


class NotARating(Exception):
    """Neither "up" nor "down" nor a whole number from 1 to 5."""


class WrongScale(Exception):
    """A rating, but not on the scale of the pilot. The message says which one that is."""


def score_of(rating: object, scale: str) -> int:
    """Return the score of a rating on a pilot's scale. Raises NotARating, WrongScale."""
    if isinstance(rating, str) and rating in _THUMBS:
        if scale != RatingScale.THUMBS:
            raise WrongScale("This pilot rates from 1 to 5; send a whole number.")
        return _THUMBS[rating]
    # True is a whole number to Python, and to nobody else.
    if isinstance(rating, int) and not isinstance(rating, bool) and rating in STARS:
        if scale != RatingScale.STARS:
            raise WrongScale('This pilot rates with thumbs; send "up" or "down".')
        return rating
    raise NotARating('A rating is "up" or "down", or a whole number from 1 to 5.')


def rating_of(score: int, scale: str) -> str | int:
    """Return the rating that a score is stored for."""
    if scale == RatingScale.STARS:
        return score
    return UP if score else DOWN


def is_score(score: int, scale: str) -> bool:
    """Tell whether a score exists on a scale."""
    return score in (STARS if scale == RatingScale.STARS else _THUMBS.values())


def is_liked(score: int, scale: str) -> bool:
    """Tell whether a score means liked: thumbs up, or four stars and more."""
    return score >= LIKED_FROM[RatingScale(scale)]


def in_words(score: int, scale: str) -> str:
    """Say a score to people."""
    if scale == RatingScale.STARS:
        return f"{score} of 5"
    return "liked" if score else "not liked"
