"""How sure a figure is. Pure."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the range it lies in at some confidence. Shares are 0 to 1."""

    low: float
    mid: float
    high: float


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Return a share and its Wilson score interval, without continuity correction.

    `mid` is the share observed, which is not the middle of the interval. Source: E. B. Wilson,
    "Probable inference, the law of succession, and statistical inference", JASA 22 (1927); the
    same as SciPy's binomtest(k, n).proportion_ci(method="wilson").

    Raises ValueError without observations, or with more successes than those.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} is not a share")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Rounding may leave a hair beyond the observed share where it is 0 or 1.
    return Interval(
        low=max(0.0, center - half) if successes else 0.0,
        mid=share,
        high=min(1.0, center + half) if successes < n else 1.0,
    )
