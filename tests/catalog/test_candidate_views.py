"""The list and the page of candidates: their prices, machines and states."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.catalog.models import Candidate, HostingInterval, Price
from tests.factories import (
    NOON,
    make_candidate,
    make_hosting,
    make_price,
    make_provider,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("count", [1, 4])
def test_candidates_are_listed_with_what_they_cost_now(
    client, admin, count, django_assert_num_queries
):
    for _ in range(count):
        candidate = make_candidate()
        make_price(candidate, input_usd=9, valid_to=timezone.now() - timedelta(days=1))
        make_price(candidate, input_usd=3, valid_from=timezone.now() - timedelta(hours=1))
        make_hosting(candidate, usd_per_hour=2)
    client.get("/setup/candidates/")

    with django_assert_num_queries(6):
        response = client.get("/setup/candidates/")

    assert [
        (row.price.input_usd_per_mtok, row.hosting.usd_per_hour, row.is_uncosted)
        for row in response.context["rows"]
    ] == [(Decimal(3), Decimal(2), False)] * count


def test_candidate_is_changed(client, admin):
    make_candidate(slug="c", fim_stops=["x", "y"])

    form = client.get("/setup/candidates/c/change/").context["form"]
    response = client.post(
        "/setup/candidates/c/change/", {"name": "New", "context_tokens": "5", "fim_stops": "z"}
    )

    assert form["fim_stops"].value() == "x\ny"
    assert response.url == "/setup/candidates/c/"
    assert form["has_tools"].value() is True
    fields = ("name", "context_tokens", "fim_stops", "has_tools")
    assert Candidate.objects.values_list(*fields).get() == ("New", 5, ["z"], False)


def test_fallback_is_chosen_among_those_whose_code_goes_to_the_same_class_of_place(client, admin):
    private = make_provider(residence="private")
    make_candidate(slug="c", provider=private)
    fits = make_candidate(provider=make_provider(residence="private"))
    outside = make_candidate(provider=make_provider(residence="outside"))
    make_candidate(provider=private, state="retired")
    make_candidate(provider=make_provider(residence="private", retired_at=NOON))
    path = "/setup/candidates/c/change/"

    offered = client.get(path).context["form"].fields["fallback"].queryset
    refused = client.post(path, {"name": "C", "fallback": outside.id})
    client.post(path, {"name": "C", "fallback": fits.id})

    assert list(offered) == [fits]
    assert list(refused.context["form"].errors) == ["fallback"]
    assert Candidate.objects.get(slug="c").fallback == fits
    assert fits.name in client.get("/setup/candidates/c/").text
    assert client.get(path).context["form"]["fallback"].value() == fits.id
    private.residence = "inside"
    private.save(update_fields=["residence"])
    assert "not used: code would go" in client.get("/setup/candidates/c/").text


def test_price_is_changed_from_a_moment_on(client, admin):
    make_price(make_candidate(slug="c"), valid_from=NOON - timedelta(days=50))

    response = client.post(
        "/setup/candidates/c/price/",
        {"input_usd": "1", "output_usd": "2", "valid_from": "2026-11-01T10:30"},
    )

    newest = Price.objects.get(valid_to=None)
    assert response.url == "/setup/candidates/c/"
    assert newest.valid_from == datetime(2026, 11, 1, 10, 30, tzinfo=UTC)
    assert newest.cached_usd_per_mtok == Decimal(1)


def test_price_in_another_currency_is_turned_into_dollars(client, admin):
    make_candidate(slug="c")
    told = {"input_usd": "1", "output_usd": "2", "currency": "eur"}

    refused = client.post("/setup/candidates/c/price/", told)
    client.post(
        "/setup/candidates/c/price/",
        told | {"usd_per_unit": "1.1", "rate_date": "2026-11-17"},
    )

    assert refused.context["price_form"].errors == {
        "usd_per_unit": ["Give the rate and the day it was read."]
    }
    price = Price.objects.get()
    assert (price.input_usd_per_mtok, price.output_usd_per_mtok, price.currency) == (
        Decimal("1.1"),
        Decimal("2.2"),
        "EUR",
    )


def test_price_that_would_overwrite_another_is_refused_with_its_date(client, admin):
    make_price(make_candidate(slug="c"), valid_from=NOON - timedelta(days=10))

    response = client.post(
        "/setup/candidates/c/price/",
        {"input_usd": "1", "output_usd": "2", "valid_from": "2026-10-01T00:00"},
    )

    assert response.context["price_form"].errors == {
        "valid_from": ["A price in force since 8 Nov 2026 12:00 would be overwritten."]
    }


def test_machines_are_started_stopped_and_corrected(client, admin):
    make_candidate(slug="c")

    client.post("/setup/candidates/c/hosting/", {"usd_per_hour": "2.5", "count": "2"})
    interval = HostingInterval.objects.get()
    path = f"/setup/candidates/c/hosting/{interval.id}/"
    client.post(f"{path}stop/", {"ended_at": ""})
    stopped = HostingInterval.objects.get().ended_at
    form = client.get(path).context["form"]
    client.post(
        path,
        {
            "usd_per_hour": "3",
            "count": "1",
            "started_at": "2026-11-01T10:00",
            "ended_at": "2026-11-01T12:00",
        },
    )

    assert (interval.usd_per_hour, interval.count, interval.ended_at) == (Decimal("2.5"), 2, None)
    assert stopped is not None
    assert form["usd_per_hour"].value() == "2.5"
    interval.refresh_from_db()
    assert (interval.usd_per_hour, interval.ended_at) == (
        Decimal(3),
        datetime(2026, 11, 1, 12, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"usd_per_hour": ""}, {"usd_per_hour": ["This field is required."]}),
        (
            {"started_at": "2026-11-01T12:00", "ended_at": "2026-11-01T11:00"},
            {"ended_at": ["This is not after the start."]},
        ),
        (
            {"started_at": "2999-11-01T12:00"},
            {"__all__": ["This lies in the future; enter it once it applies."]},
        ),
        (
            {"started_at": "2026-10-01T12:00"},
            {
                "started_at": [
                    "Its machines are counted already during some of this time: correct that "
                    "entry instead."
                ]
            },
        ),
    ],
)
def test_impossible_times_are_refused_on_the_page(client, admin, fields, said):
    make_hosting(
        make_candidate(slug="c"),
        started_at=NOON - timedelta(days=40),
        ended_at=NOON - timedelta(days=30),
    )

    response = client.post(
        "/setup/candidates/c/hosting/", {"usd_per_hour": "1", "count": "1"} | fields
    )

    form = response.context["hosting_form"]
    assert {name: list(each) for name, each in form.errors.items()} == said


@pytest.mark.parametrize(
    ("before", "do", "after"),
    [
        ("active", "pause", "paused"),
        ("paused", "resume", "active"),
        ("paused", "retire", "retired"),
        ("active", "nonsense", "active"),
        ("retired", "resume", "retired"),
    ],
)
def test_button_changes_the_state(client, admin, before, do, after):
    make_candidate(slug="c", state=before)

    response = client.post("/setup/candidates/c/state/", {"do": do})

    assert (response.url, Candidate.objects.get().state) == ("/setup/candidates/c/", after)


@pytest.mark.parametrize("prices", [1, 4])
def test_candidate_page_takes_the_same_queries_for_any_history(
    client, admin, prices, django_assert_num_queries
):
    candidate = make_candidate(slug="c")
    for number in range(prices):
        start = NOON - timedelta(days=50 - number)
        make_price(candidate, valid_from=start, valid_to=start + timedelta(days=1))
        make_hosting(candidate, started_at=start, ended_at=start + timedelta(hours=1))
    client.get("/setup/candidates/c/")

    with django_assert_num_queries(6):
        response = client.get("/setup/candidates/c/")

    assert len(response.context["prices"]) == len(response.context["intervals"]) == prices


@pytest.mark.parametrize("role", [Role.LEAD, Role.DEVELOPER, Role.VIEWER])
def test_nobody_else_changes_a_candidate(client, role):
    interval = make_hosting(make_candidate(slug="c"))
    client.force_login(make_user(role))

    for path in ("change", "state", "price", "hosting", f"hosting/{interval.id}/stop"):
        assert client.post(f"/setup/candidates/c/{path}/", {"do": "retire"}).status_code == 403

    assert Candidate.objects.get().state == "active"
