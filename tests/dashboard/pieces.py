"""Candidates and figures without a database, for the pure parts."""

from collections import Counter
from datetime import date
from decimal import Decimal

from apps.catalog.models import Candidate, Provider
from apps.metrics.histogram import bucket_of
from apps.metrics.readers import Reader
from apps.metrics.sums import Figures, HostingSums, LatencySums, UsageSums

TODAY = date(2026, 11, 18)
# Of a lead where people are named, and of everybody else.
ALL, FIVE = Reader(0), Reader(5)


def candidate(number, **fields):
    return Candidate(
        **{
            "id": number,
            "slug": f"c{number}",
            "name": f"Model {number}",
            "position": number,
            "provider": Provider(name="Prov", residence="outside"),
        }
        | fields
    )


def rated(liked, n, **usage):
    """Figures of a candidate with `n` ratings, `liked` of them good."""
    return Figures(UsageSums(rated=n, liked=liked, **{"calls": n, "rateable": n} | usage))


def figures(*, usage=None, idle=0, busy=0, first=None):

    return Figures(
        UsageSums(**usage or {}),
        HostingSums(Decimal(busy), Decimal(idle)),
        LatencySums(Counter({bucket_of(ms): n for ms, n in (first or {}).items()}), Counter()),
    )
