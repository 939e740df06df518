"""What pages say about a group of calls: sums that add up, and the figures made from them. Pure.

Money is US dollars, durations milliseconds. A figure is None where nothing is known.
"""

from collections import Counter
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Final

from apps.metrics.histogram import percentile_ms
from apps.metrics.statistics import Interval, wilson

# The tasks whose finished turns people rate.
ANSWER_TASKS: Final = ("agent", "chat", "edit")
_MILLION: Final = 1_000_000
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class UsageSums:
    """Sums over calls. `token_usd` is paid per token; `hosting_usd` is the time the calls took.

    `answer_*` cover the tasks that are rated. `people` are those with at least one finished call,
    `callers` those with any call, `raters` those who rated at least one of their answers.
    """

    calls: int = 0
    ok: int = 0
    cancelled: int = 0
    failed: int = 0
    uncosted: int = 0
    uncosted_tokens: int = 0
    uncosted_rateable: int = 0
    estimated: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    token_usd: Decimal = _ZERO
    hosting_usd: Decimal = _ZERO
    answer_token_usd: Decimal = _ZERO
    answer_hosting_usd: Decimal = _ZERO
    total_ms: int = 0
    generation_ms: int = 0
    generation_tokens: int = 0
    rateable: int = 0
    rated: int = 0
    liked: int = 0
    stars: int = 0
    stars_sum: int = 0
    people: frozenset[int] = frozenset()
    callers: frozenset[int] = frozenset()
    raters: frozenset[int] = frozenset()

    def __add__(self, other: "UsageSums") -> "UsageSums":
        values = {name: getattr(self, name) + getattr(other, name) for name in ADDED}
        united = {name: getattr(self, name) | getattr(other, name) for name in UNITED}
        return UsageSums(**values, **united)

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def costed(self) -> int:
        return self.calls - self.uncosted

    @property
    def costed_tokens(self) -> int:
        return self.tokens - self.uncosted_tokens

    @property
    def costed_rateable(self) -> int:
        return self.rateable - self.uncosted_rateable

    @property
    def error_share(self) -> float | None:
        return self.failed / self.calls if self.calls else None

    @property
    def coverage(self) -> float | None:
        """Which share of what could be rated was."""
        return self.rated / self.rateable if self.rateable else None

    @property
    def liked_share(self) -> float | None:
        return self.liked / self.rated if self.rated else None

    @property
    def liked_interval(self) -> Interval | None:
        return wilson(self.liked, self.rated) if self.rated else None

    @property
    def mean_stars(self) -> float | None:
        return self.stars_sum / self.stars if self.stars else None

    @property
    def tokens_per_s(self) -> float | None:
        """How fast answers come once they have begun."""
        return self.generation_tokens / self.generation_ms * 1000 if self.generation_ms else None


UNITED: Final = ("people", "callers", "raters")
ADDED: Final = tuple(each.name for each in fields(UsageSums) if each.name not in UNITED)


@dataclass(frozen=True, slots=True)
class HostingSums:
    """What machines cost while calls were answered, and while they stood idle."""

    busy_usd: Decimal = _ZERO
    idle_usd: Decimal = _ZERO

    def __add__(self, other: "HostingSums") -> "HostingSums":
        return HostingSums(self.busy_usd + other.busy_usd, self.idle_usd + other.idle_usd)

    @property
    def total_usd(self) -> Decimal:
        return self.busy_usd + self.idle_usd

    @property
    def idle_share(self) -> float | None:
        return float(self.idle_usd / self.total_usd) if self.total_usd else None


@dataclass(frozen=True, slots=True)
class LatencySums:
    """How many finished calls fell within each bucket, by measure."""

    first_content: Counter[int] = field(default_factory=Counter)
    total: Counter[int] = field(default_factory=Counter)

    def __add__(self, other: "LatencySums") -> "LatencySums":
        return LatencySums(self.first_content + other.first_content, self.total + other.total)

    @property
    def calls(self) -> int:
        return sum(self.first_content.values())

    def first_ms(self, fraction: float) -> int | None:
        return percentile_ms(self.first_content, fraction)

    def total_ms(self, fraction: float) -> int | None:
        return percentile_ms(self.total, fraction)


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything known about one group of calls in a period, and what it cost.

    With `task_only` the calls are those of some tasks: idle machines belong to none of them, so
    they are left out. `is_hidden` and `has_few_raters` say that it has no calls or no ratings here
    because they are of too few people to be shown (readers.py), not because there are none.
    """

    usage: UsageSums = UsageSums()
    hosting: HostingSums = HostingSums()
    latency: LatencySums = field(default_factory=LatencySums)
    task_only: bool = False
    is_hidden: bool = False
    has_few_raters: bool = False

    @property
    def coverage(self) -> float | None:
        return None if self.has_few_raters else self.usage.coverage

    @property
    def is_hosted(self) -> bool:
        return bool(self.hosting.total_usd or self.usage.hosting_usd)

    @property
    def busy_cost_usd(self) -> Decimal:
        """What the calls themselves cost: tokens, and the time they took on machines."""
        hosting = self.usage.hosting_usd if self.task_only else self.hosting.busy_usd
        return self.usage.token_usd + hosting

    @property
    def idle_cost_usd(self) -> Decimal:
        return _ZERO if self.task_only else self.hosting.idle_usd

    @property
    def cost_usd(self) -> Decimal:
        """The headline: tokens, busy machines and idle ones."""
        return self.busy_cost_usd + self.idle_cost_usd

    @property
    def answer_cost_usd(self) -> Decimal:
        """What the rated tasks cost; they take of the idle hours what they take of the busy."""
        usage = self.usage
        cost = usage.answer_token_usd + usage.answer_hosting_usd
        if self.idle_cost_usd and usage.hosting_usd:
            cost += self.idle_cost_usd * usage.answer_hosting_usd / usage.hosting_usd
        return cost

    def _cost_over(self, cost: Decimal, count: int | float | Decimal) -> Decimal | None:
        """None too where no call of the group has a cost: that is unknown, not free.

        For the same reason the count is that of what is costed: the rest would pass for free.
        """
        is_known = self.usage.costed > 0 or self.is_hosted
        return cost / Decimal(str(count)) if count and is_known else None

    @property
    def known_cost_usd(self) -> Decimal | None:
        return self._cost_over(self.cost_usd, 1)

    @property
    def cost_per_call_usd(self) -> Decimal | None:
        return self._cost_over(self.cost_usd, self.usage.costed)

    @property
    def busy_cost_per_call_usd(self) -> Decimal | None:
        return self._cost_over(self.busy_cost_usd, self.usage.costed)

    @property
    def cost_per_mtok_usd(self) -> Decimal | None:
        return self._cost_over(self.cost_usd * _MILLION, self.usage.costed_tokens)

    @property
    def cost_per_answer_usd(self) -> Decimal | None:
        return self._cost_over(self.answer_cost_usd, self.usage.costed_rateable)

    @property
    def cost_per_liked_usd(self) -> Decimal | None:
        """What an answer costs that people like: liked ones are estimated from the rated ones."""
        liked = self.usage.liked_interval
        if liked is None or not liked.mid:
            return None
        return self._cost_over(self.answer_cost_usd, self.usage.costed_rateable * liked.mid)
