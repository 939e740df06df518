"""Which candidates have met, directly or through others, and can be compared. Pure."""

from collections.abc import Iterable


def sets_of(count: int, met: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Return the number of the set that each of `count` candidates lies in, from 0 on.

    Candidates of different sets are not comparable yet. Sets are numbered as they first appear.
    """
    labels = list(range(count))
    for one, other in met:
        kept, gone = labels[one], labels[other]
        if kept != gone:
            labels = [kept if each == gone else each for each in labels]
    numbers: dict[int, int] = {}
    return tuple(numbers.setdefault(label, len(numbers)) for label in labels)
