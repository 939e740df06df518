"""Registering a candidate: the form, and what it makes of a provider's model."""

from decimal import Decimal

import pytest

from apps.catalog.models import Candidate, HostingInterval, Price
from tests.factories import make_candidate, make_provider

pytestmark = pytest.mark.django_db
GROQ = "https://api.groq.com/openai/v1"
REGISTER = {
    "upstream_model": "openai/gpt-oss-120b",
    "name": "gpt-oss-120b",
    "paid_by": "tokens",
    "input_usd": "0.15",
    "cached_usd": "",
    "output_usd": "0.6",
    "fim_template": "",
    "fim_stops": "",
}


def register(client, **fields):
    return client.post("/setup/providers/p/register/", REGISTER | fields)


def test_form_is_filled_with_what_is_known_of_the_model(client, admin):
    make_provider(slug="p", base_url=GROQ)

    form = client.get("/setup/providers/p/register/?model=openai/gpt-oss-120b").context["form"]

    assert {name: form[name].value() for name in REGISTER} == {
        "upstream_model": "openai/gpt-oss-120b",
        "name": "gpt-oss-120b",
        "paid_by": "tokens",
        "input_usd": "0.15",
        "cached_usd": "0.075",
        "output_usd": "0.6",
        "fim_template": "",
        "fim_stops": "",
    }
    assert form["context_tokens"].value() == 131_072


def test_model_on_ones_own_machine_is_paid_by_the_hour(client, admin):
    make_provider(slug="p", base_url="http://127.0.0.1:9000/v1", residence="inside")

    form = client.get("/setup/providers/p/register/?model=qwen2.5-coder:7b").context["form"]

    assert form["paid_by"].value() == "hours"
    assert form["fim_stops"].value().splitlines()[:2] == ["<|endoftext|>", "<|fim_prefix|>"]


def test_candidate_paid_by_the_token_is_registered(client, admin):
    make_provider(slug="p", base_url=GROQ)

    response = register(client, fim_template="{suffix}{prefix}", fim_stops="a\n\n b\na\n")

    candidate, price = Candidate.objects.get(), Price.objects.get()
    assert response.url == "/setup/candidates/gpt-oss-120b/"
    assert (candidate.position, candidate.fim_stops) == (1, ["a", " b"])
    assert (price.input_usd_per_mtok, price.cached_usd_per_mtok, price.output_usd_per_mtok) == (
        Decimal("0.15"),
        Decimal("0.15"),
        Decimal("0.6"),
    )
    assert (price.source, price.valid_to) == ("typed", None)


def test_price_taken_over_as_it_is_known_says_where_it_comes_from(client, admin):
    make_provider(slug="p", base_url=GROQ)

    register(client, cached_usd="0.075")

    assert Price.objects.get().source == "genai-prices"


@pytest.mark.parametrize(("is_running", "count"), [("on", 1), ("", 0)])
def test_candidate_paid_by_the_hour_is_registered(client, admin, is_running, count):
    make_provider(slug="p")

    register(
        client,
        paid_by="hours",
        input_usd="",
        output_usd="",
        usd_per_hour="2.5",
        count="2",
        is_running=is_running,
    )

    machines = HostingInterval.objects.values_list("usd_per_hour", "count", "ended_at")
    assert list(machines) == [(Decimal("2.5"), 2, None)] * count
    assert Candidate.objects.count() == 1


def test_candidate_whose_price_is_not_known_is_registered_and_the_page_says_so(client, admin):
    make_provider(slug="p")

    response = client.post(
        "/setup/providers/p/register/",
        {"upstream_model": "m", "name": "M", "paid_by": "later"},
        follow=True,
    )

    assert (Candidate.objects.count(), Price.objects.count()) == (1, 0)
    assert "No price yet" in response.content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"input_usd": ""}, {"input_usd": ["This is needed for the way it is paid."]}),
        ({"input_usd": "cheap"}, {"input_usd": ["Enter a number."]}),
        ({"output_usd": "NaN"}, {"output_usd": ["Enter a number."]}),
        (
            {"output_usd": "-1"},
            {"output_usd": ["Ensure this value is greater than or equal to 0."]},
        ),
        (
            {"paid_by": "hours", "count": "1"},
            {"usd_per_hour": ["This is needed for the way it is paid."]},
        ),
        ({"slug": "taken"}, {"slug": ["This one is taken; give another."]}),
        (
            {"fim_template": "{prefix}"},
            {"fim_template": ["Name {prefix} and {suffix}, each once."]},
        ),
        ({"fim_stops": "x" * 65}, {"fim_stops": ["A stop has at most 64 characters."]}),
    ],
)
def test_form_says_what_is_wrong_and_nothing_is_registered(client, admin, fields, said):
    make_provider(slug="p")
    make_candidate(slug="taken")

    response = register(client, **fields)

    assert {name: list(each) for name, each in response.context["form"].errors.items()} == said
    assert (Candidate.objects.count(), Price.objects.count()) == (1, 0)
