"""How sure a figure is; the formulas stand in apps.core.intervals, where lower apps reach them."""

from apps.core.intervals import Interval, wilson

__all__ = ["Interval", "wilson"]
