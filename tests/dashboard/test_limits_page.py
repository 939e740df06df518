"""The page of limits: what holds for whom, and what of the money is used."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.accounts.models import AuditEntry, Role
from apps.core.periods import DAY
from apps.dashboard.limits_page import Amount, Used, sections
from apps.gateway.contract import UNLESS_SET
from apps.metrics.readers import Reader
from apps.pilots.models import Limit
from tests.factories import (
    make_candidate,
    make_enrollment,
    make_key,
    make_limit,
    make_pilot,
    make_trial,
    make_user,
)
from tests.metrics.derived import make_usage

pytestmark = pytest.mark.django_db
PAGE = "/setup/pilots/team/limits/"
SAVE = {"usd": "25", "period": "day", "is_hard": "no"}


@pytest.fixture
def admin(client):
    user = make_user(Role.ADMIN, totp_exempt=True)
    client.force_login(user)
    return user


def rows(pilot, reader=None):
    found = sections(pilot, reader=reader or Reader(0), now=timezone.now())
    return {section.scope: section.rows for section in found}


def test_a_pilot_without_limits_says_what_the_endpoint_keeps_to(client, admin, pilot):
    page = client.get(PAGE)

    by_scope = {section.scope: section for section in page.context["sections"]}
    key = by_scope["key"].rows[0]
    assert (key.name, key.at_once, key.id) == ("Each key", Amount(UNLESS_SET.at_once), None)
    assert [len(section.rows) for section in by_scope.values()] == [1, 0, 0, 0]
    assert [section.has_general for section in by_scope.values()] == [False] * 4
    assert page.text.count("No limit:") == 3


def test_budget_stands_with_the_whole_pilot_until_money_is_limited_there(pilot):
    pilot.budget_usd = 10
    make_usage(pilot, make_candidate(), timezone.now().date(), token_usd=4)

    budget = rows(pilot)["pilot"]
    make_limit(pilot, "pilot", at_once=5)
    beside = [row.name for row in rows(pilot)["pilot"]]
    Limit.objects.update(usd=3, money_since=pilot.created_at)
    instead = rows(pilot)["pilot"]

    assert [(row.name, row.money, row.used.spent_usd, row.then) for row in budget] == [
        ("Budget", "$10.00 for the whole pilot", 4, "leads are told")
    ]
    assert beside == ["Budget", "All together"]
    assert [(row.name, row.money, row.used.kind) for row in instead] == [
        ("All together", "$3.00 a month", "bad")
    ]


@pytest.mark.parametrize(
    ("spent", "kind"),
    [("0", "good"), ("7.99", "good"), ("8", "warn"), ("10", "bad"), ("12", "bad")],
)
def test_bar_warns_before_it_is_full(pilot, spent, kind):
    make_limit(pilot, "pilot", usd=10)
    make_usage(pilot, make_candidate(), timezone.now().date(), token_usd=spent)

    assert rows(pilot)["pilot"][0].used.kind == kind


def test_exceptions_follow_the_general_limit_with_their_own_use(pilot):
    user = make_user(name="Ada Moreno")
    enrollment = make_enrollment(pilot, user.person)
    make_limit(pilot, "person", enrollment=enrollment, usd=5)
    make_limit(pilot, "person", usd=2)
    make_usage(
        pilot, make_candidate(), timezone.now().date(), person=user.person_id, calls=1, token_usd=3
    )

    named = rows(pilot)["person"]
    unnamed = rows(pilot, Reader(5))["person"]

    assert [(row.name, row.used and row.used.spent_usd, row.used_words) for row in named] == [
        ("Each person", None, "used up by nobody"),
        ("Ada Moreno", 3, ""),
    ]
    assert [(row.used, row.used_words) for row in unnamed] == [
        (None, "used up by nobody"),
        (None, "not shown of few people"),
    ]


def test_what_an_exception_leaves_open_is_the_general_limits(pilot):
    enrollment = make_enrollment(pilot)
    make_limit(pilot, "person", usd=2, requests_per_minute=60, period="day", is_hard=False)
    make_limit(pilot, "person", enrollment=enrollment, at_once=1)

    _, row = rows(pilot)["person"]

    assert (row.requests, row.tokens, row.at_once) == (
        Amount(60, is_own=False),
        Amount(None, is_own=False),
        Amount(1),
    )
    assert (row.money, row.is_own_money, row.then) == ("$2.00 a day", False, "leads are told")
    assert row.used == Used(Decimal(0), Decimal(2))


def test_general_limit_says_how_many_have_used_it_up(pilot):
    make_limit(pilot, "candidate", usd=2)
    for usd in (1, 2, 3):
        make_usage(pilot, make_candidate(), timezone.now().date(), calls=1, token_usd=usd)

    assert rows(pilot)["candidate"][0].used_words == "used up by 2 of 3"
    assert rows(pilot, Reader(5))["candidate"][0].used_words == "not shown of few people"


def test_limit_is_set_changed_and_removed(client, admin, pilot):
    response = client.post(f"{PAGE}pilot/", SAVE)

    limit = Limit.objects.get()
    assert (response.status_code, response.url) == (302, PAGE)
    assert (limit.scope, limit.usd, limit.period, limit.is_hard) == ("pilot", 25, "day", False)
    form = client.get(f"{PAGE}pilot/").context["form"]
    assert [form[name].value() for name in ("usd", "period", "is_hard")] == ["25", "day", "no"]
    client.post(f"{PAGE}pilot/", SAVE | {"at_once": "3", "usd": "0.5"})
    limit.refresh_from_db()
    assert (limit.at_once, limit.usd) == (3, Decimal("0.5"))
    assert client.post(f"{PAGE}{limit.id}/remove/").url == PAGE
    assert Limit.objects.count() == 0
    assert list(AuditEntry.objects.order_by("id").values_list("action", "actor")) == [
        ("limit set", admin.person_id),
        ("limit set", admin.person_id),
        ("limit removed", admin.person_id),
    ]


def test_exceptions_are_chosen_from_who_takes_part_and_has_none(client, admin, pilot):
    enrollment = make_enrollment(pilot, make_user(name="Ada Moreno").person)
    now = timezone.now()
    times = {"created_at": now - DAY, "expires_at": now + DAY}
    key, _ = make_key(enrollment, name="laptop", **times)
    make_key(enrollment, **times, revoked_at=now)
    candidate = make_trial(pilot, make_candidate(name="Qwen")).candidate
    make_trial(pilot, dropped_at=now)
    make_enrollment(pilot, left_at=now)

    found = {each.scope: each.others for each in client.get(PAGE).context["sections"]}

    assert found == {
        "key": [(key.id, f"{key.hint} of Ada Moreno, laptop")],
        "person": [(enrollment.id, "Ada Moreno")],
        "candidate": [(candidate.id, "Qwen")],
        "pilot": [],
    }
    for scope, others in found.items():
        for subject, name in others:
            page = client.get(f"{PAGE}{scope}/?subject={subject}")
            assert page.context["whose"] == name
            client.post(f"{PAGE}{scope}/?subject={subject}", SAVE)
    limits = Limit.objects.order_by("id").values_list("scope", "key", "enrollment", "candidate")
    assert list(limits) == [
        ("key", key.id, None, None),
        ("person", None, enrollment.id, None),
        ("candidate", None, None, candidate.id),
    ]
    assert [each.others for each in client.get(PAGE).context["sections"]] == [[], [], [], []]


@pytest.mark.parametrize(
    "path", ["team/", "key/?subject=999", "key/?subject=x", "pilot/?subject=1"]
)
def test_limit_of_nobody_is_not_found(client, admin, pilot, path):
    make_enrollment(pilot)

    assert client.get(f"{PAGE}{path}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"usd": ""}, {"__all__": ["Fill in at least one of the four, or remove the limit."]}),
        (
            {"usd": "0"},
            {"usd": ["Nothing at all is no limit: pause it, or revoke the key."]},
        ),
        ({"usd": "-1"}, {"usd": ["Ensure this value is greater than or equal to 0."]}),
        (
            {"at_once": "0"},
            {"at_once": ["Ensure this value is greater than or equal to 1."]},
        ),
        (
            {"period": "year"},
            {"period": ["Select a valid choice. year is not one of the available choices."]},
        ),
    ],
)
def test_form_says_what_is_wrong(client, admin, pilot, fields, said):
    page = client.post(f"{PAGE}key/", SAVE | fields)

    assert {name: list(each) for name, each in page.context["form"].errors.items()} == said
    assert Limit.objects.count() == 0


def test_closed_pilot_is_only_shown(client, admin):
    now = timezone.now()
    pilot = make_pilot(slug="team", closed_at=now)
    limit = make_limit(pilot, "key", at_once=1)

    page = client.get(PAGE)
    client.post(f"{PAGE}{limit.id}/remove/")
    refused = client.post(f"{PAGE}key/", SAVE)

    assert "Remove" not in page.text
    assert list(refused.context["form"].non_field_errors()) == [
        "This pilot is closed; nothing in it changes any more."
    ]
    assert Limit.objects.get() == limit


@pytest.mark.parametrize("count", [1, 4])
def test_page_takes_the_same_queries_for_any_number(
    client, admin, pilot, count, django_assert_num_queries
):
    for scope in ("key", "person", "candidate"):
        make_limit(pilot, scope, usd=2)
    times = {"created_at": timezone.now(), "expires_at": timezone.now() + timedelta(days=9)}
    for _ in range(count):
        enrollment = make_enrollment(pilot, make_user().person)
        make_limit(pilot, "person", enrollment=enrollment, usd=2)
        make_limit(pilot, "key", key=make_key(enrollment, **times)[0], usd=2)
        make_limit(pilot, "candidate", candidate=make_trial(pilot).candidate, usd=2)
    client.get(PAGE)

    with django_assert_num_queries(12):
        client.get(PAGE)


def test_overview_and_set_up_lead_to_it(client, admin, pilot):
    make_limit(pilot, "pilot", usd=1, is_hard=False)
    make_usage(pilot, make_candidate(), timezone.now().date(), calls=9, token_usd=1)

    overview = client.get("/pilots/team/")

    assert overview.context["used_up"] == ["The limit of $1.00 a month is used up: calls go on."]
    assert overview.context["used_up"][0] in overview.text
    assert f'href="{PAGE}"' in client.get("/setup/pilots/team/").text
