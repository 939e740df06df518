"""Which candidates have met, directly or through others, and can be compared. Pure."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components


def sets_of(count: int, met: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Return the number of the set that each of `count` candidates lies in, from 0 on.

    Candidates of different sets are not comparable yet. Sets are numbered as they first appear.
    """
    pairs = np.array(list(met), dtype=np.int64).reshape(-1, 2)
    ones = np.ones(len(pairs))
    graph = csr_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    labels: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    numbers: dict[int, int] = {}
    return tuple(numbers.setdefault(int(label), len(numbers)) for label in labels)
