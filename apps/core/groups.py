"""How many people a figure must be of, so that it tells nothing about one of them."""

from typing import Final

LEAST_GROUP: Final = 5
