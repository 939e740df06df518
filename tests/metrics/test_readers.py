from decimal import Decimal

import pytest

from apps.accounts.models import Role, User
from apps.metrics.readers import Reader, lead_of, reader_of
from apps.metrics.sums import Figures, HostingSums, UsageSums
from apps.pilots.models import Pilot

FIVE = Reader(5)


def group(*callers, raters=(), **usage):
    return Figures(
        UsageSums(
            calls=10 * len(callers),
            rateable=8,
            rated=len(raters),
            liked=len(raters),
            stars=len(raters),
            stars_sum=5 * len(raters),
            callers=frozenset(callers),
            raters=frozenset(raters),
            **usage,
        ),
        HostingSums(idle_usd=Decimal(3)),
    )


@pytest.mark.parametrize(
    ("role", "named", "least"),
    [
        (Role.LEAD, True, 0),
        (Role.ADMIN, True, 0),
        (Role.LEAD, False, 5),
        (Role.ADMIN, False, 5),
        (Role.VIEWER, True, 5),
        (Role.VIEWER, False, 5),
        (Role.DEVELOPER, True, 5),
    ],
)
def test_only_leads_see_small_groups_and_only_where_the_pilot_names_people(role, named, least):
    assert reader_of(Pilot(people_named=named), User(role=role)) == Reader(least)


def test_what_is_sent_to_leads_follows_the_pilot_alone():
    assert [lead_of(Pilot(people_named=named)) for named in (True, False)] == [Reader(0), FIVE]


@pytest.mark.parametrize(
    ("count", "least", "told"),
    [(0, 5, "0"), (1, 5, "<5"), (4, 5, "<5"), (5, 5, "5"), (4, 0, "4"), (1200, 5, "1,200")],
)
def test_small_groups_are_counted_only_as_such(count, least, told):
    assert Reader(least).size(count) == told


@pytest.mark.parametrize("count", [1, 4])
def test_nothing_is_left_of_few_callers(count):
    few = group(*range(count), raters=range(count), token_usd=Decimal(1))

    assert FIVE.figures(few) == Figures(is_hidden=True)
    assert Reader(0).figures(few) == few


def test_five_callers_are_enough_and_none_is_no_secret():
    for figures in (group(*range(5)), group()):
        assert FIVE.figures(figures) == figures


def test_whoever_only_failed_is_a_caller_too():
    """Five called, four got an answer: the group is five."""
    figures = Figures(UsageSums(calls=5, people=frozenset(range(4)), callers=frozenset(range(5))))

    assert FIVE.figures(figures) == figures


def test_of_few_raters_only_the_ratings_are_left_out():
    seen = FIVE.figures(group(*range(6), raters=range(4)))

    usage = seen.usage
    assert (seen.is_hidden, seen.has_few_raters, seen.coverage) == (False, True, None)
    assert (usage.calls, usage.rateable) == (60, 8)
    assert (usage.rated, usage.liked, usage.stars, usage.stars_sum, usage.raters) == (
        0,
        0,
        0,
        0,
        frozenset(),
    )
    assert (usage.liked_interval, usage.mean_stars) == (None, None)


def shown(**groups):
    seen = FIVE.parts(groups)
    return {
        key: "hidden" if each.is_hidden else "unrated" if each.has_few_raters else "shown"
        for key, each in seen.items()
    }


def test_a_part_of_few_takes_the_smallest_other_along():
    found = shown(few=group(1), large=group(*range(9)), small=group(*range(6)), none=group())

    assert found == {"few": "hidden", "large": "shown", "small": "hidden", "none": "shown"}


def test_parts_of_few_that_are_enough_together_take_none_along():
    assert shown(a=group(1, 2, 3), b=group(4, 5), c=group(*range(9))) == {
        "a": "hidden",
        "b": "hidden",
        "c": "shown",
    }
    # The same few twice are still few.
    assert set(shown(a=group(1, 2), b=group(1, 2), c=group(*range(9))).values()) == {"hidden"}


def test_ratings_of_a_part_take_those_of_another_along():
    many, six = range(9), range(6)

    found = shown(
        few=group(*many, raters=[1]),
        small=group(*many, raters=six),
        large=group(*many, raters=many),
    )

    assert found == {"few": "unrated", "small": "unrated", "large": "shown"}


def test_ratings_of_a_hidden_part_count_among_those_that_are_left_out():
    found = shown(few=group(1, raters=[1]), a=group(*range(6)), b=group(*range(9), raters=range(9)))

    # The hidden two hold one rater: the whole without the third's ratings would tell them.
    assert found == {"few": "hidden", "a": "hidden", "b": "unrated"}


def test_a_sum_beside_its_parts_leaves_out_few():
    large, few = group(*range(6)), group(1, 2)

    assert FIVE.together([large, few]) == (large.usage, False)
    assert FIVE.together([large]) == (large.usage, True)
    assert Reader(0).together([large, few]) == (large.usage + few.usage, True)


def test_a_sum_holds_groups_of_few_that_are_enough_together():
    groups = [group(1, 2, 3), group(4, 5, 6)]

    assert FIVE.together(groups) == (groups[0].usage + groups[1].usage, True)
    assert FIVE.together([]) == (UsageSums(), True)
