from html import unescape

import pytest
from aiohttp import web
from django.core.cache import cache

from apps.accounts.models import Role
from apps.catalog.models import Provider
from apps.catalog.reports import last_test
from apps.core.secrets import open_token, seal
from tests.catalog.live import Served
from tests.factories import NOON, make_candidate, make_provider, make_user

pytestmark = pytest.mark.django_db
SECRET = "sk-live-0123456789abcdef"
ADD = {
    "name": "vLLM on our A100",
    "base_url": "http://127.0.0.1:9000/v1",
    "auth": "bearer",
    "residence": "private",
    "stream_usage": "on_request",
    "serves": ["suffix", "completions"],
    "most_stops": "4",
    "credential": SECRET,
}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def admin(admin):
    # What the last test of a connection found is kept in the cache.
    cache.clear()
    return admin


@pytest.fixture(scope="module")
def served():
    """A provider on a loopback port, in a thread of its own."""

    async def models(request):
        if request.headers.get("Authorization") != f"Bearer {SECRET}":
            return web.json_response({"error": {"message": "no"}}, status=401)
        return web.json_response({"data": [{"id": f"org/model-{n:02}"} for n in range(60)]})

    async def chat(request):
        body = b'data: {"choices":[{"delta":{"content":"ready"}}]}\n\ndata: [DONE]\n\n'
        return web.Response(body=body, content_type="text/event-stream")

    server = Served({("GET", "/v1/models"): models, ("POST", "/v1/chat/completions"): chat})
    yield server.url
    server.stop()


def errors(response):
    return {name: list(said) for name, said in response.context["form"].errors.items()}


def test_every_provider_is_listed_with_the_same_queries(
    client, admin, django_assert_max_num_queries
):
    make_provider(slug="a", name="A")
    client.get("/setup/providers/")
    with django_assert_max_num_queries(20) as few:
        client.get("/setup/providers/")
    for number in range(4):
        make_candidate(provider=make_provider(slug=f"b{number}", name=f"B{number}"))
    make_provider(slug="gone", name="0 first by name", retired_at=NOON)

    with django_assert_max_num_queries(len(few.captured_queries)):
        response = client.get("/setup/providers/")

    rows = [(row.provider.slug, row.candidates) for row in response.context["rows"]]
    assert rows == [("a", 0), ("b0", 1), ("b1", 1), ("b2", 1), ("b3", 1), ("gone", 0)]


def test_preset_fills_the_form(client, admin):
    response = client.get("/setup/add-provider/?preset=mistral")

    form = response.context["form"]
    assert [form[name].value() for name in ("name", "base_url", "stream_usage", "residence")] == [
        "Mistral",
        "https://api.mistral.ai/v1",
        "reject_option",
        "outside",
    ]


def test_provider_is_added_and_its_key_never_shown(client, admin, settings):
    response = client.post("/setup/add-provider/", ADD)

    provider = Provider.objects.get()
    assert (response.status_code, response.url) == (302, "/setup/providers/vllm-on-our-a100/")
    assert open_token(provider.credential, settings.ENCRYPTION_KEYS) == SECRET
    assert (provider.serves, provider.most_stops) == (["completions", "suffix"], 4)
    for path in ("/setup/providers/", response.url, f"{response.url}change/", "/setup/audit/"):
        page = client.get(path).content.decode()
        assert SECRET not in page
        assert provider.credential not in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, {"name": ["This field is required."]}),
        ({"serves": []}, {"serves": ["This field is required."]}),
        (
            {"most_stops": "-1"},
            {"most_stops": ["Ensure this value is greater than or equal to 0."]},
        ),
        ({"slug": "taken"}, {"slug": ["This one is taken; give another."]}),
        ({"name": "***"}, {"slug": ["The name has no letters to make one from."]}),
        (
            {"base_url": "https://{resource}.openai.azure.com/openai/v1"},
            {"base_url": ["Put your own value in the place of {resource}."]},
        ),
        (
            {"base_url": "http://10.1.2.3/v1"},
            {
                "base_url": [
                    "10.1.2.3 is private, and no range opens it.",
                    "The operator would set PILOTDASH_UPSTREAM_ALLOW_CIDRS=10.1.2.3/32",
                ]
            },
        ),
        (
            {"credential": "two words"},
            {"credential": ["A key is one line without blanks. Check what was copied."]},
        ),
        (
            {"ca_pem": "x"},
            {"ca_pem": ["These are not PEM certificates: -----BEGIN CERTIFICATE----- and so on."]},
        ),
        (
            {"auth": "x"},
            {"auth": ["Select a valid choice. x is not one of the available choices."]},
        ),
    ],
)
def test_form_says_what_is_wrong_and_keeps_the_rest(client, admin, fields, said):
    make_provider(slug="taken")

    response = client.post("/setup/add-provider/", ADD | fields)

    assert (response.status_code, errors(response), Provider.objects.count()) == (200, said, 1)
    assert SECRET not in response.content.decode()


def test_moving_a_provider_forgets_its_key_and_says_so(client, admin, settings):
    sealed = seal(SECRET, settings.ENCRYPTION_KEYS)
    make_provider(slug="p", base_url=ADD["base_url"], credential=sealed, credential_hint="…cdef")

    response = client.post(
        "/setup/providers/p/change/", ADD | {"base_url": "http://127.0.0.1:9001/v1"}, follow=True
    )

    assert Provider.objects.get().credential == ""
    assert "The address has changed, so its key was forgotten." in unescape(
        response.content.decode()
    )


def test_key_is_replaced_and_removed(client, admin, settings):
    make_provider(slug="p")

    client.post("/setup/providers/p/credential/", {"credential": SECRET})
    hint = Provider.objects.get().credential_hint
    client.post("/setup/providers/p/credential/", {"credential": "", "remove": "1"})

    assert (hint, Provider.objects.get().credential) == ("…cdef", "")


def test_malformed_key_is_refused_on_the_page(client, admin):
    make_provider(slug="p")

    response = client.post("/setup/providers/p/credential/", {"credential": "two words"})

    assert response.context["credential_form"].errors == {
        "credential": ["A key is one line without blanks. Check what was copied."]
    }


def test_connection_is_tested_without_javascript(client, admin, served, settings):
    sealed = seal(SECRET, settings.ENCRYPTION_KEYS)
    make_provider(slug="p", base_url=served, credential=sealed)

    response = client.post("/setup/providers/p/test/", {"model": ""}, follow=True)

    tested = response.context["tested"]
    assert [step.state for step in tested.report.steps] == ["ok"] * 5
    assert tested.report.model == "org/model-00"
    assert (len(response.context["models"]), response.context["more"]) == (50, 10)
    assert SECRET not in response.content.decode()


def test_connection_is_tested_in_place_with_htmx(client, admin, served):
    make_provider(slug="p", base_url=served)

    response = client.post("/setup/providers/p/test/", {"model": ""}, headers=HTMX)

    assert response.templates[0].name == "catalog/_provider_test.html"
    failed = response.context["tested"].report.failed
    assert (failed.name, failed.advice) == ("Authenticated", "Set a credential.")


def test_models_of_the_last_test_are_found_by_a_part_of_their_name(client, admin, served, settings):
    sealed = seal(SECRET, settings.ENCRYPTION_KEYS)
    make_provider(slug="p", base_url=served, credential=sealed)
    client.post("/setup/providers/p/test/", {"model": ""})

    fragment = client.get("/setup/providers/p/models/?q=MODEL-1", headers=HTMX)
    page = client.get("/setup/providers/p/models/?q=MODEL-1")

    expected = [f"org/model-1{n}" for n in range(10)]
    assert fragment.context["models"] == page.context["models"] == expected
    assert "register/?model=org/model-10" in fragment.content.decode()


def test_test_is_forgotten_when_the_provider_changes(client, admin, served):
    provider = make_provider(slug="p", base_url=served)
    client.post("/setup/providers/p/test/", {"model": ""})
    assert last_test(provider) is not None

    client.post("/setup/providers/p/credential/", {"credential": SECRET})

    provider.refresh_from_db()
    assert last_test(provider) is None


def test_provider_is_retired_once_its_candidates_are(client, admin):
    candidate = make_candidate(provider=make_provider(slug="p"))

    refused = client.post("/setup/providers/p/retire/", follow=True)
    assert "Retire its candidates first" in unescape(refused.content.decode())
    candidate.state = "retired"
    candidate.save(update_fields=["state"])
    response = client.post("/setup/providers/p/retire/")

    assert response.url == "/setup/providers/"
    assert Provider.objects.get().retired_at is not None
    assert client.post("/setup/providers/p/test/").status_code == 404
    assert client.get("/setup/providers/p/register/").status_code == 404
    assert client.get("/setup/providers/p/").status_code == 200


@pytest.mark.parametrize("role", [Role.LEAD, Role.DEVELOPER, Role.VIEWER])
def test_nobody_else_changes_a_provider(client, role):
    make_provider(slug="p", credential="sealed")
    client.force_login(make_user(role))

    for path in ("change", "credential", "test", "retire"):
        assert client.post(f"/setup/providers/p/{path}/", ADD).status_code == 403
    assert client.post("/setup/add-provider/", ADD).status_code == 403

    assert Provider.objects.values_list("credential", "retired_at").get() == ("sealed", None)
