"""Figures as people read them: pure functions from values to text.

`None` means "no data" and becomes an en dash; the filters in templatetags/format.py
say so to screen readers. Rounding is half up, as readers expect.
"""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

NO_DATA = "–"
MINUS = "\N{MINUS SIGN}"
Number = int | float | Decimal


def _rounded(value: Number, digits: int) -> Decimal:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _fixed(value: Number, digits: int) -> str:
    """Give thousands separators and a real minus sign, never a negative zero."""
    rounded = _rounded(value, digits)
    sign = MINUS if rounded < 0 else ""
    return f"{sign}{abs(rounded):,}"


def number(value: Number | None, digits: int = 0) -> str:
    """Write a number with thousands separators and `digits` decimals: 12,345."""
    return NO_DATA if value is None else _fixed(value, digits)


def money(usd: Decimal | None, symbol: str = "$") -> str:
    """Write US dollars with as many digits as matter: $1,840, $1.23, $0.031, $0.0004."""
    if usd is None:
        return NO_DATA
    size = abs(usd)
    sign = MINUS if usd < 0 else ""
    if size == 0:
        return f"{symbol}0"
    if _rounded(size, 2) >= 1000:
        return f"{sign}{symbol}{_rounded(size, 0):,}"
    if size >= Decimal("0.0995"):
        return f"{sign}{symbol}{_rounded(size, 2):,}"
    if size < Decimal("0.000001"):
        return f"<{symbol}0.000001"
    # Two significant digits, without trailing zeros beyond the cents.
    text = f"{_rounded(size, 1 - size.adjusted()):f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"{sign}{symbol}{whole}.{cents:0<2}"


def money_range(low: Decimal | None, high: Decimal | None, symbol: str = "$") -> str:
    """Write a range of US dollars: $1,840–2,310."""
    if low is None or high is None:
        return NO_DATA
    return f"{money(low, symbol)}–{money(high, '')}"


def percent(fraction: Number | None, digits: int | None = None) -> str:
    """Write a fraction (0 to 1) as percent; one decimal below ten unless `digits` says else."""
    if fraction is None:
        return NO_DATA
    value = Decimal(str(fraction)) * 100
    if digits is None:
        digits = 1 if 0 < abs(value) < Decimal("9.95") else 0
        if 0 < abs(value) < Decimal("0.05"):
            return "<0.1%"
    return f"{_fixed(value, digits)}%"


def points(difference: Number | None) -> str:
    """Write a difference of two fractions in percentage points, always signed: +4 pts."""
    if difference is None:
        return NO_DATA
    value = _rounded(Decimal(str(difference)) * 100, 1)
    digits = 1 if abs(value) < 10 and value != value.to_integral_value() else 0
    return f"{signed(value, digits)} pts"


def signed(value: Number | None, digits: int = 0) -> str:
    """Write a number with its sign: +3, a true minus before 1.5, ±0."""
    if value is None:
        return NO_DATA
    rounded = _rounded(value, digits)
    if rounded == 0:
        return "±0"
    return f"{'+' if rounded > 0 else MINUS}{abs(rounded):,}"


def interval(low: Number | None, high: Number | None, digits: int = 0) -> str:
    """Write the bounds of an interval: 992–1,049."""
    if low is None or high is None:
        return NO_DATA
    return f"{_fixed(low, digits)}–{_fixed(high, digits)}"


def percent_interval(low: Number | None, high: Number | None, digits: int = 0) -> str:
    """Write the bounds of an interval of fractions in percent, without the sign: 72–83."""
    if low is None or high is None:
        return NO_DATA
    return interval(Decimal(str(low)) * 100, Decimal(str(high)) * 100, digits)


def milliseconds(ms: Number | None) -> str:
    """Write a duration given in milliseconds in the unit that fits: 420 ms, 1.3 s, 2 min 5 s."""
    if ms is None:
        return NO_DATA
    if _rounded(ms, 0) < 1000:
        return f"{_rounded(ms, 0)} ms"
    return seconds(ms)


def seconds(ms: Number | None) -> str:
    """Write a duration given in milliseconds in seconds: 0.42 s, 1.3 s, 48 s, 2 min 5 s."""
    if ms is None:
        return NO_DATA
    value = Decimal(str(ms)) / 1000
    if _rounded(value, 2) < 1:
        return f"{_rounded(value, 2)} s"
    if _rounded(value, 1) < 10:
        return f"{_rounded(value, 1)} s"
    whole = int(_rounded(value, 0))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


def compact(value: Number | None) -> str:
    """Write a count of tokens or bytes in three digits: 999, 12.3k, 1.2M."""
    if value is None:
        return NO_DATA
    scaled, units = Decimal(str(value)), iter(("", "k", "M", "B"))
    unit = next(units)
    while abs(_rounded(scaled, 0 if abs(scaled) >= 100 else 1)) >= 1000 and unit != "B":
        scaled, unit = scaled / 1000, next(units)
    digits = 0 if not unit or abs(_rounded(scaled, 1)) >= 100 else 1
    return f"{_fixed(scaled, digits)}{unit}"


def relative_time(then: datetime | None, now: datetime) -> str:
    """Write how long ago (or how far ahead) a moment is: just now, 5 min ago, in 3 days."""
    if then is None:
        return NO_DATA
    gap = abs(now - then)
    if gap < timedelta(seconds=45):
        return "just now"
    minutes = max(1, round(gap / timedelta(minutes=1)))
    hours, days = round(gap / timedelta(hours=1)), round(gap / timedelta(days=1))
    if minutes < 60:
        text = f"{minutes} min"
    elif hours < 24:
        text = f"{hours} h"
    elif days < 60:
        text = f"{days} day" if days == 1 else f"{days} days"
    else:
        text = f"{round(days / 30.4)} months"
    return f"{text} ago" if then <= now else f"in {text}"
