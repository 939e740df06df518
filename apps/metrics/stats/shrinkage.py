"""Means of few ratings, drawn towards the mean of all. Pure."""

from typing import Final

# As if so many more ratings had given the mean of all.
PSEUDO_RATINGS: Final = 10.0


def shrunken_mean(
    total: float, count: int, *, prior_mean: float, pseudo: float = PSEUDO_RATINGS
) -> float:
    """Return (pseudo * prior_mean + total) / (pseudo + count), in the unit of the ratings.

    Raises ValueError for a negative count, or where nothing weighs anything.
    """
    if count < 0 or pseudo < 0 or pseudo + count == 0:
        raise ValueError(f"no mean of {count} ratings and {pseudo:g} assumed ones")
    return (pseudo * prior_mean + total) / (pseudo + count)
