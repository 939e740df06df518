"""Money is US dollars in Decimal; twelve places hold the price of a single token exactly."""

from decimal import Decimal
from typing import Final

MONEY_DIGITS: Final = 20
MONEY_PLACES: Final = 12
MONEY_STEP: Final = Decimal(1).scaleb(-MONEY_PLACES)
