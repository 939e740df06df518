from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.metrics.models import QuarterHosting, QuarterUsage
from tests.factories import NOON, make_candidate, make_hosting, make_pilot, make_trial
from tests.metrics.figures import QUARTER, call, rebuild, usage

pytestmark = pytest.mark.django_db


def hosting_rows():
    rows = QuarterHosting.objects.order_by("quarter", "candidate_id", "pilot_id")
    return list(rows.values_list("quarter", "pilot_id", "busy_usd", "idle_usd"))


def test_a_quarter_hours_machines_are_shared_by_duration():
    candidate = make_candidate()
    make_hosting(candidate, usd_per_hour=3, count=4)
    mine = {"candidate_id": candidate.id}

    rebuild(
        call(**mine, person_id=1, total_ms=1_000),
        call(**mine, person_id=1, total_ms=2_000),
        call(**mine, person_id=2, total_ms=None, outcome="crashed_unknown"),
        call(**mine, person_id=3, total_ms=3_000, pilot_id=9),
    )

    assert usage("pilot_id", "person_id", "hosting_usd") == [
        (1, 1, Decimal("1.5")),
        (1, 2, Decimal(0)),
        (9, 3, Decimal("1.5")),
    ]
    assert hosting_rows() == [(NOON, 1, Decimal("1.5"), 0), (NOON, 9, Decimal("1.5"), 0)]


def test_calls_that_took_no_time_share_equally():
    candidate = make_candidate()
    make_hosting(candidate, usd_per_hour=4)
    mine = {"candidate_id": candidate.id, "first_content_ms": None}

    rebuild(
        call(**mine, person_id=1, total_ms=0),
        call(**mine, person_id=1, total_ms=None),
        call(**mine, person_id=2, total_ms=0),
    )

    assert usage("person_id", "hosting_usd") == [
        (1, Decimal("0.666666666667")),
        (2, Decimal("0.333333333333")),
    ]


@pytest.mark.parametrize(
    ("start", "end", "cost"),
    [
        (-60, None, "1"),  # still running
        (-60, 60, "1"),
        (5, None, "0.666666666667"),  # ten minutes of it
        (-60, 3, "0.2"),
        (5, 8, "0.2"),
        (0, 15, "1"),
    ],
)
def test_only_the_time_that_machines_ran_costs(start, end, cost):
    make_hosting(
        make_candidate(),
        started_at=NOON + timedelta(minutes=start),
        ended_at=None if end is None else NOON + timedelta(minutes=end),
    )

    rebuild()

    assert hosting_rows() == [(NOON, None, 0, Decimal(cost))]


@pytest.mark.parametrize(("start", "end"), [(-60, 0), (15, None)])
def test_machines_that_did_not_run_have_no_row(start, end):
    make_hosting(
        make_candidate(),
        started_at=NOON + timedelta(minutes=start),
        ended_at=None if end is None else NOON + timedelta(minutes=end),
    )

    rebuild()

    assert hosting_rows() == []


def test_several_stretches_in_a_quarter_hour_add_up():
    candidate = make_candidate()
    for first, last, count in ((0, 3, 1), (3, 6, 2), (10, 15, 1)):
        make_hosting(
            candidate,
            usd_per_hour=6,
            count=count,
            started_at=NOON + timedelta(minutes=first),
            ended_at=NOON + timedelta(minutes=last),
        )

    rebuild()

    assert hosting_rows() == [(NOON, None, 0, Decimal("0.3") + Decimal("0.6") + Decimal("0.5"))]


def test_a_quarter_hour_in_the_future_has_cost_nothing():
    make_hosting(make_candidate())

    rebuild(quarters=[NOON, NOON + QUARTER], now=NOON)

    assert hosting_rows() == [(NOON, None, 0, Decimal(1))]


def test_idle_machines_are_paid_by_the_pilots_that_had_them_on_trial():
    candidate = make_candidate()
    make_hosting(candidate, usd_per_hour=4)
    one, two, three = make_pilot(), make_pilot(), make_pilot()
    make_trial(one, candidate, dropped_at=NOON + timedelta(minutes=1))
    make_trial(one, candidate, added_at=NOON + timedelta(minutes=2))  # again: still one pilot
    make_trial(two, candidate)
    make_trial(three, candidate)
    not_theirs = [
        make_trial(make_pilot()),
        make_trial(make_pilot(), candidate, added_at=NOON + QUARTER),
        make_trial(make_pilot(), candidate, dropped_at=NOON),
        make_trial(make_pilot(closed_at=NOON), candidate),
        make_trial(make_pilot(starts_on=date(2026, 11, 19)), candidate),
        make_trial(make_pilot(ends_on=date(2026, 11, 17)), candidate),
    ]

    rebuild()

    assert hosting_rows() == [
        (NOON, one.id, 0, Decimal("0.333333333333")),
        (NOON, two.id, 0, Decimal("0.333333333334")),
        (NOON, three.id, 0, Decimal("0.333333333333")),
    ]
    assert len(not_theirs) == 6


def test_one_call_makes_the_whole_quarter_hour_busy():
    candidate = make_candidate()
    make_hosting(candidate)
    make_trial(make_pilot(), candidate)

    rebuild(call(candidate_id=candidate.id, pilot_id=7, total_ms=1))

    assert hosting_rows() == [(NOON, 7, Decimal(1), 0)]


def test_calls_of_hosted_candidates_are_not_uncosted():
    candidate = make_candidate()
    make_hosting(
        candidate,
        started_at=NOON + timedelta(minutes=1),
        ended_at=NOON + timedelta(minutes=2),
    )
    minutes = (0, 1, 2)

    rebuild(*[call(candidate_id=candidate.id, at=NOON + timedelta(minutes=at)) for at in minutes])

    assert usage("calls", "uncosted", "token_usd") == [(3, 2, 0)]


DURATIONS = st.lists(st.none() | st.integers(0, 900_000), min_size=1, max_size=12)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(DURATIONS, st.decimals("0.000000000001", 999, places=12), st.integers(1, 8))
def test_shares_of_machines_add_up_to_their_cost(durations, usd_per_hour, count):
    candidate = make_candidate()
    make_hosting(
        candidate,
        usd_per_hour=usd_per_hour,
        count=count,
        started_at=NOON + timedelta(seconds=7),
        ended_at=NOON + timedelta(days=1),
    )
    mine = {"candidate_id": candidate.id, "first_content_ms": None}
    calls = [call(**mine, person_id=index, total_ms=ms) for index, ms in enumerate(durations)]
    quarters = [NOON, NOON + QUARTER]  # one with calls, one idle
    for _ in range(3):
        make_trial(make_pilot(), candidate)

    rebuild(*calls, quarters=quarters)

    rows = QuarterHosting.objects.filter(candidate_id=candidate.id)
    shares = QuarterUsage.objects.filter(candidate_id=candidate.id)
    cost = dict(rows.values_list("quarter").annotate(usd=Sum("busy_usd") + Sum("idle_usd")))
    whole = usd_per_hour * count / 4
    assert (
        cost[NOON]
        == rows.get(quarter=NOON).busy_usd
        == shares.aggregate(usd=Sum("hosting_usd"))["usd"]
    )
    assert abs(cost[NOON] - whole * 893 / 900) <= Decimal("5e-13")
    assert abs(cost[NOON + QUARTER] - whole) <= Decimal("5e-13")
    total = sum(ms or 0 for ms in durations)
    for row in shares:
        ms = durations[row.person_id] or 0
        share = Decimal(ms) / total if total else Decimal(1) / len(durations)
        assert abs(row.hosting_usd - cost[NOON] * share) <= Decimal("1e-12")
        assert row.hosting_usd >= 0
