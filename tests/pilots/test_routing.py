"""What the table of routes says of the database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import Role
from apps.catalog.models import CandidateState
from apps.changes.models import RoutesVersion
from apps.gateway.contract import (
    CandidateRoute,
    KeyRoute,
    LimitRoute,
    PilotRoute,
    PriceRoute,
    ProviderRoute,
    RouteTable,
)
from apps.pilots.pilot_routes import CLOSED_KEPT
from apps.pilots.routing import build_route_table
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_key,
    make_limit,
    make_person,
    make_pilot,
    make_price,
    make_provider,
    make_trial,
    make_user,
)


@pytest.mark.django_db
def test_table_says_exactly_what_the_database_says():
    provider = make_provider(
        base_url="https://example.com/v1",
        credential="sealed",
        auth="api_key",
        stream_usage="always",
        ca_pem="PEM",
        serves=["chat/completions", "suffix"],
        most_stops=4,
    )
    candidate = make_candidate(
        provider=provider, fim_template="<P>{prefix}<S>{suffix}<M>", fim_stops=["<P>", "<S>"]
    )
    other = make_candidate(provider=provider, fallback=candidate)
    make_price(candidate, Decimal("0.25"), 2, Decimal("0.000000000500"))
    pilot = make_pilot(zone="Europe/Berlin")
    make_limit(pilot, "key", at_once=10)
    make_trial(pilot, candidate, alias="qwen-coder")
    enrollment = make_enrollment(pilot)
    key, _ = make_key(enrollment)
    RoutesVersion.objects.create(id=1, version=7)

    table = build_route_table(NOON)

    assert table == RouteTable(
        version=7,
        built_at=NOON,
        keys={
            key.digest: KeyRoute(
                id=key.id,
                person_id=enrollment.person_id,
                pilot_id=pilot.id,
                kind="developer",
                expires_at=NOON + timedelta(days=170),
            )
        },
        pilots={
            pilot.id: PilotRoute(
                id=pilot.id,
                slug=pilot.slug,
                opens_at=datetime(2026, 11, 1, 23, tzinfo=UTC),
                closes_at=datetime(2026, 11, 29, 23, tzinfo=UTC),
                aliases={"qwen-coder": candidate.id},
                zone="Europe/Berlin",
                limits=(LimitRoute("key", at_once=10),),
            )
        },
        candidates={
            candidate.id: CandidateRoute(
                id=candidate.id,
                slug=candidate.slug,
                provider_id=provider.id,
                upstream_model=candidate.upstream_model,
                fim_template="<P>{prefix}<S>{suffix}<M>",
                fim_stops=("<P>", "<S>"),
                prices=(
                    PriceRoute(
                        NOON - timedelta(days=50),
                        None,
                        input=250_000_000,
                        cached=1,
                        output=2 * 10**9,
                    ),
                ),
            ),
            other.id: CandidateRoute(
                id=other.id,
                slug=other.slug,
                provider_id=provider.id,
                upstream_model=other.upstream_model,
                fallback_id=candidate.id,
            ),
        },
        providers={
            provider.id: ProviderRoute(
                id=provider.id,
                slug=provider.slug,
                base_url="https://example.com/v1",
                credential="sealed",
                auth="api_key",
                stream_usage="always",
                ca_pem="PEM",
                serves=("chat/completions", "suffix"),
                most_stops=4,
            )
        },
    )
    assert RouteTable.from_json(table.to_json()) == table


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {"revoked_at": NOON - timedelta(seconds=1)},
        {"created_at": NOON - timedelta(days=2), "expires_at": NOON},
    ],
)
def test_key_that_is_not_in_force_is_left_out(fields):
    make_key(make_enrollment(make_pilot()), **fields)

    assert build_route_table(NOON).keys == {}


@pytest.mark.django_db
def test_key_of_someone_who_left_is_left_out():
    make_key(make_enrollment(make_pilot(), left_at=NOON - timedelta(days=1)))

    assert build_route_table(NOON).keys == {}


@pytest.mark.django_db
def test_key_of_someone_erased_or_switched_off_is_left_out_and_others_stay():
    pilot = make_pilot()
    make_key(make_enrollment(pilot, make_person(erased_at=NOON)))
    make_key(make_enrollment(pilot, make_user(is_active=False).person))
    active, _ = make_key(make_enrollment(pilot, make_user().person))
    without_user, _ = make_key(make_enrollment(pilot))

    assert set(build_route_table(NOON).keys) == {active.digest, without_user.digest}


@pytest.mark.django_db
def test_paused_candidate_stays_with_its_state_and_retired_one_goes_with_its_alias():
    pilot = make_pilot()
    paused = make_candidate(state=CandidateState.PAUSED)
    retired = make_candidate(state=CandidateState.RETIRED)
    make_trial(pilot, paused, alias="paused")
    make_trial(pilot, retired, alias="retired")

    table = build_route_table(NOON)

    assert {id_: route.state for id_, route in table.candidates.items()} == {paused.id: "paused"}
    assert table.pilots[pilot.id].aliases == {"paused": paused.id}


@pytest.mark.django_db
def test_dropped_trial_frees_its_alias():
    pilot = make_pilot()
    make_trial(pilot, alias="chat", dropped_at=NOON)
    successor = make_trial(pilot, alias="chat")

    aliases = build_route_table(NOON).pilots[pilot.id].aliases

    assert aliases == {"chat": successor.candidate_id}


@pytest.mark.django_db
def test_retired_provider_takes_its_candidates_and_aliases_along():
    pilot = make_pilot()
    make_trial(pilot, make_candidate(provider=make_provider(retired_at=NOON)))

    table = build_route_table(NOON)

    assert (table.providers, table.candidates) == ({}, {})
    assert table.pilots[pilot.id].aliases == {}


@pytest.mark.django_db
@pytest.mark.parametrize(("ago", "kept"), [(CLOSED_KEPT / 2, True), (CLOSED_KEPT, False)])
def test_closed_pilot_keeps_its_keys_for_a_while_so_that_they_get_a_sentence(ago, kept):
    pilot = make_pilot(starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 31), closed_at=NOON - ago)
    key, _ = make_key(make_enrollment(pilot))

    table = build_route_table(NOON)

    assert [route.closes_at for route in table.pilots.values()] == [NOON - ago] * kept
    assert set(table.keys) == ({key.digest} if kept else set())


@pytest.mark.django_db
def test_pilot_to_come_is_in_the_table():
    pilot = make_pilot(starts_on=date(2027, 3, 1), ends_on=date(2027, 3, 31))

    assert set(build_route_table(NOON).pilots) == {pilot.id}


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 4])
def test_table_takes_the_same_queries_for_any_number_of_rows(count, django_assert_num_queries):
    for _ in range(count):
        pilot = make_pilot(budget_usd=5)
        enrollment = make_enrollment(pilot, make_user(Role.DEVELOPER).person)
        make_limit(pilot, "person", enrollment=enrollment, at_once=1)
        make_key(enrollment)
        make_price(make_trial(pilot).candidate)

    with django_assert_num_queries(10):
        table = build_route_table(NOON)

    assert [len(part) for part in (table.keys, table.pilots, table.candidates)] == [count] * 3
