"""Which groups of people a reader may see figures of: aggregate first, then suppress here. Pure.

A figure of few people tells what one of them does, so nothing of it leaves this module: neither its
number nor what follows from it.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TypeVar

from apps.accounts.models import User
from apps.core.groups import LEAST_GROUP
from apps.metrics.sums import Figures, UsageSums
from apps.pilots.models import Pilot

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who sees figures of `least` people and more; with 0, of anyone.

    One to `least - 1` people are few. Nobody at all is no secret.
    """

    least: int

    def is_few(self, people: Collection[int]) -> bool:
        return self.counts_few(len(people))

    def counts_few(self, count: int) -> bool:
        return 0 < count < self.least

    def size(self, count: int) -> str:
        """Write how many people there are; few only as such."""
        return f"<{self.least}" if self.counts_few(count) else f"{count:,}"

    def figures(self, found: Figures) -> Figures:
        """Return what may be seen: nothing of few callers, no ratings of few raters."""
        if self.is_few(found.usage.callers):
            return hidden(found)
        return without_ratings(found) if self.is_few(found.usage.raters) else found

    def each(self, found: Mapping[Key, Figures]) -> dict[Key, Figures]:
        """Return what may be seen of groups whose sum is not shown beside them."""
        return {key: self.figures(figures) for key, figures in found.items()}

    def parts(self, found: Mapping[Key, Figures]) -> dict[Key, Figures]:
        """Return what may be seen of the parts of a whole that is shown, too.

        The whole without its shown parts is a group itself, so it must not be one of few either.
        """
        callers = {key: figures.usage.callers for key, figures in found.items()}
        raters = {key: figures.usage.raters for key, figures in found.items()}
        unseen = self.kept_back(callers)
        unrated = self.kept_back(raters, unseen)

        def seen(key: Key, figures: Figures) -> Figures:
            if key in unseen:
                return hidden(figures)
            return without_ratings(figures) if key in unrated else figures

        return {key: seen(key, figures) for key, figures in found.items()}

    def kept_back(
        self, groups: Mapping[Key, Collection[int]], also: Collection[Key] = ()
    ) -> set[Key]:
        """Return the groups of few and, where these together are few, the smallest other."""
        kept = {key for key, people in groups.items() if self.is_few(people) or key in also}
        together: set[int] = set()
        for key in kept:
            together.update(groups[key])
        others = [key for key, people in groups.items() if people and key not in kept]
        if self.is_few(together) and others:
            kept.add(min(others, key=lambda key: len(groups[key])))
        return kept

    def together(self, found: Iterable[Figures]) -> tuple[UsageSums, bool]:
        """Return the sum of groups that are shown one by one, and whether it holds all of them.

        It does not where those that are not shown are few people together: they could be had by
        subtraction. Then it is the sum of the others.
        """
        groups = list(found)
        unseen = [each.usage for each in groups if self.is_few(each.usage.callers)]
        if not self.is_few(reduce(add, unseen, UsageSums()).callers):
            return reduce(add, (each.usage for each in groups), UsageSums()), True
        shown = (each.usage for each in groups if not self.is_few(each.usage.callers))
        return reduce(add, shown, UsageSums()), False


def reader_of(pilot: Pilot, user: User) -> Reader:
    """Return how a user sees a pilot: leads all of it where it names people, others never."""
    return Reader(0) if user.is_lead and pilot.people_named else Reader(LEAST_GROUP)


def lead_of(pilot: Pilot) -> Reader:
    """Return how every lead and administrator sees a pilot: what may be sent to them."""
    return Reader(0 if pilot.people_named else LEAST_GROUP)


def hidden(figures: Figures) -> Figures:
    return Figures(task_only=figures.task_only, is_hidden=True)


def without_ratings(figures: Figures) -> Figures:
    none = frozenset[int]()
    usage = replace(figures.usage, rated=0, liked=0, stars=0, stars_sum=0, raters=none)
    return replace(figures, usage=usage, has_few_raters=True)
