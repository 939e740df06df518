"""How evenly a rotation has given its days out, without telling who is which arm.

A day is given to a person by the seed alone, whether they worked on it or not. Arms are numbered in
an order that only the seed tells, and for one person alone nothing is said of single arms: after
the first day that would be whom they had.
"""

import hmac
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from apps.accounts.queries import name_of
from apps.core.groups import LEAST_GROUP
from apps.core.rotation import Era, assigned, era_of, next_working_day, working_day
from apps.pilots.models import Enrollment, Pilot, Rotation, Swap, UseRole

# Days by the first day of their era and the candidate they were given.
Given = Counter[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class Arm:
    """One candidate under a number that tells nothing; `share` is of all days given."""

    label: str
    days: int
    share: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `first_day` on so many take turns."""

    first_day: date
    arms: int


@dataclass(frozen=True, slots=True)
class PersonBalance:
    """`apart` is how many days their most and their least frequent arm differ by.

    Of several eras, each of which begins anew, it is that of the worst.
    """

    name: str
    days: int
    apart: int
    swaps: int


@dataclass(frozen=True, slots=True)
class Balance:
    """A rotation up to today. With `is_few` people, figures of arms and swaps are not told.

    `people` is empty where the pilot names nobody.
    """

    alias: str
    role: str
    is_over: bool
    person_count: int
    is_few: bool
    days: int
    apart_most: int | None
    swaps: int | None
    arms: tuple[Arm, ...]
    stretches: tuple[Stretch, ...]
    people: tuple[PersonBalance, ...]

    @property
    def has_one_arm(self) -> bool:
        """Whether only one is left, so that nothing is compared any more."""
        return not self.is_over and self.stretches[-1].arms == 1


def balances(pilot: Pilot, *, now: datetime) -> list[Balance]:
    """Return the balance of each rotation, those that are over too, in order of start."""
    rotations = Rotation.objects.filter(pilot=pilot).prefetch_related("eras")
    enrollments = list(
        Enrollment.objects.filter(pilot=pilot)
        .select_related("person__user")
        .order_by("enrolled_at", "id")
    )
    swaps: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for rotation_id, person_id in Swap.objects.filter(rotation__pilot=pilot).values_list(
        "rotation_id", "person_id"
    ):
        swaps[rotation_id][person_id] += 1
    return [
        _balance(pilot, rotation, enrollments, swaps[rotation.id], now)
        for rotation in rotations.order_by("created_at", "id")
    ]


def _balance(
    pilot: Pilot,
    rotation: Rotation,
    enrollments: Iterable[Enrollment],
    swaps: Counter[int],
    now: datetime,
) -> Balance:
    eras = rotation.known_eras()
    given = {
        each: found
        for each in enrollments
        if (found := _given(pilot, rotation, eras, each, now)).total()
    }
    total: Given = sum(given.values(), Counter())
    apart = {each: _apart(eras, found) for each, found in given.items()}
    is_few = len(given) < LEAST_GROUP
    return Balance(
        alias=rotation.alias,
        role=UseRole(rotation.role).label,
        is_over=rotation.ended_at is not None,
        person_count=len(given),
        is_few=is_few,
        days=total.total(),
        apart_most=None if is_few else max(apart.values()),
        swaps=None if is_few else sum(swaps.values()),
        arms=() if is_few else tuple(_arms(rotation, eras, total)),
        stretches=tuple(Stretch(era.first_day, len(era.candidate_ids)) for era in eras),
        people=tuple(
            PersonBalance(
                name=name_of(each.person),
                days=given[each].total(),
                apart=apart[each],
                swaps=swaps[each.person_id],
            )
            for each in given
            if pilot.people_named
        ),
    )


def _arms(rotation: Rotation, eras: Iterable[Era], given: Given) -> Iterator[Arm]:
    """Number the arms by lots of the seed: neither in order of registration, nor as elsewhere."""

    def lot(candidate_id: int) -> bytes:
        return hmac.digest(rotation.seed.encode(), f"arm:{candidate_id}".encode(), "sha256")

    every = {each for era in eras for each in era.candidate_ids}
    for number, candidate_id in enumerate(sorted(every, key=lot), start=1):
        count = sum(given[era.first_day, candidate_id] for era in eras)
        yield Arm(f"Arm {number}", count, count / given.total())


def _given(
    pilot: Pilot, rotation: Rotation, eras: tuple[Era, ...], enrollment: Enrollment, now: datetime
) -> Given:
    """Count the days given to a person, today included."""
    zone, whole = pilot.zone_info, pilot.period
    last = min(at for at in (now, whole.end, rotation.ended_at, enrollment.left_at) if at)
    day = working_day(max(whole.start, enrollment.enrolled_at), zone)
    day = max(day, eras[0].first_day)
    found: Given = Counter()
    while day <= working_day(last, zone):
        era = era_of(eras, day)
        whose = assigned(eras, seed=rotation.seed, person_id=enrollment.person_id, day=day)
        if era is not None and whose is not None:
            found[era.first_day, whose] += 1
        day = next_working_day(day)
    return found


def _apart(eras: Iterable[Era], given: Given) -> int:
    counts = ([given[era.first_day, each] for each in era.candidate_ids] for era in eras)
    return max(max(each) - min(each) for each in counts)
