"""What every row of figures says of quality and speed, whatever it is a row of."""

from apps.metrics.statistics import Interval
from apps.metrics.sums import Figures


class Measured:
    """Something with figures. Durations are milliseconds; None where nothing is known."""

    __slots__ = ()
    figures: Figures

    @property
    def liked(self) -> Interval | None:
        return self.figures.usage.liked_interval

    @property
    def first_p50(self) -> int | None:
        return self.figures.latency.first_ms(0.5)

    @property
    def first_p95(self) -> int | None:
        return self.figures.latency.first_ms(0.95)

    @property
    def total_p50(self) -> int | None:
        return self.figures.latency.total_ms(0.5)

    @property
    def total_p95(self) -> int | None:
        return self.figures.latency.total_ms(0.95)
