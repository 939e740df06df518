import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry
from apps.catalog.actions import (
    AddressRefused,
    CertificateMalformed,
    CredentialMalformed,
    ProviderInUse,
    ProviderRetired,
    SlugMalformed,
    SlugTaken,
    add_provider,
    change_provider,
    retire_provider,
    set_credential,
)
from apps.catalog.models import CandidateState, Provider
from apps.core.secrets import open_token, seal
from tests.factories import NOON, make_candidate, make_person, make_provider
from tests.trail import audited, versions

pytestmark = pytest.mark.django_db
SECRET = "sk-live-0123456789abcdef"
SETTINGS = {
    "name": "vLLM",
    "base_url": "http://127.0.0.1:9000/v1",
    "auth": "bearer",
    "stream_usage": "always",
    "residence": "private",
    "region": "Paris",
    "ca_pem": "",
    "serves": ["chat/completions", "messages"],
    "most_stops": 4,
}


def test_provider_is_added_with_its_secret_sealed(settings):
    actor = make_person()

    provider = add_provider(slug="vllm", credential=SECRET, now=NOON, actor=actor, **SETTINGS)

    stored = Provider.objects.get()
    assert provider == stored
    assert {name: getattr(stored, name) for name in SETTINGS} == SETTINGS
    assert (stored.slug, stored.created_at, stored.retired_at) == ("vllm", NOON, None)
    assert open_token(stored.credential, settings.ENCRYPTION_KEYS) == SECRET
    assert stored.credential_hint == "…cdef"
    assert audited() == [
        ("provider added", "provider vllm", {"base_url": "http://127.0.0.1:9000/v1"}),
        ("credential replaced", "provider vllm", {}),
    ]
    assert set(AuditEntry.objects.values_list("actor", flat=True)) == {actor.id}
    assert versions() == 2


def test_slash_at_the_end_of_an_address_is_dropped():
    told = SETTINGS | {"base_url": "http://127.0.0.1:9000/v1/"}

    assert add_provider(slug="vllm", now=NOON, **told).base_url == "http://127.0.0.1:9000/v1"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"slug": "taken"}, SlugTaken),
        ({"slug": "with.dot"}, SlugMalformed),
        ({"slug": ""}, SlugMalformed),
        ({"base_url": "http://169.254.169.254/latest"}, AddressRefused),
        ({"base_url": "ftp://example.com/v1"}, AddressRefused),
        ({"base_url": "https://user:pw@example.com/v1"}, AddressRefused),
        ({"credential": "two words"}, CredentialMalformed),
        ({"credential": "line\r\nX-Header: smuggled"}, CredentialMalformed),
        ({"credential": "schlüssel"}, CredentialMalformed),
        (
            {"ca_pem": "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----"},
            CertificateMalformed,
        ),
        ({"ca_pem": "not one"}, CertificateMalformed),
    ],
)
def test_provider_that_breaks_a_rule_is_not_added(fields, problem):
    make_provider(slug="taken")

    with pytest.raises(problem):
        add_provider(**{"slug": "vllm", "now": NOON} | SETTINGS | fields)

    assert (Provider.objects.count(), versions(), audited()) == (1, 0, [])


def test_refused_address_says_what_the_operator_would_add():
    with pytest.raises(AddressRefused) as refused:
        add_provider(slug="vllm", now=NOON, **SETTINGS | {"base_url": "http://10.1.2.3/v1"})

    assert refused.value.verdict.what_to_add == "PILOTDASH_UPSTREAM_ALLOW_CIDRS=10.1.2.3/32"


def test_provider_is_changed_and_the_trail_tells_what():
    provider = make_provider(slug="vllm", base_url=SETTINGS["base_url"], name="Old")

    change_provider(provider=provider, now=NOON, **SETTINGS)

    assert Provider.objects.values(*SETTINGS).get() == SETTINGS
    assert audited() == [
        (
            "provider changed",
            "provider vllm",
            {
                "name": ["Old", "vLLM"],
                "stream_usage": ["on_request", "always"],
                "residence": ["outside", "private"],
                "region": ["", "Paris"],
                "serves": [
                    "['chat/completions', 'completions', 'embeddings']",
                    "['chat/completions', 'messages']",
                ],
                "most_stops": ["0", "4"],
            },
        )
    ]
    assert versions() == 1


def test_saving_a_provider_unchanged_publishes_nothing():
    provider = add_provider(slug="vllm", now=NOON, **SETTINGS)

    other_order = SETTINGS | {"serves": SETTINGS["serves"][::-1]}
    change_provider(provider=provider, now=NOON, **other_order)

    assert (versions(), len(audited())) == (1, 1)


@pytest.mark.parametrize(
    ("address", "is_kept"),
    [
        ("http://127.0.0.1:9000/v1/other", True),
        ("https://127.0.0.1:9000/v1", False),
        ("http://127.0.0.2:9000/v1", False),
        ("http://127.0.0.1:9001/v1", False),
        ("http://127.0.0.1/v1", False),
    ],
)
def test_secret_belongs_to_scheme_host_and_port(address, is_kept):
    provider = add_provider(slug="vllm", credential=SECRET, now=NOON, **SETTINGS)
    before = provider.credential

    changed = change_provider(provider=provider, now=NOON, **SETTINGS | {"base_url": address})

    assert changed.base_url == address
    stored = Provider.objects.get()
    assert stored.credential == (before if is_kept else "")
    assert stored.credential_hint == ("…cdef" if is_kept else "")
    assert ("credential removed" in [action for action, _, _ in audited()]) is not is_kept


def test_usual_port_may_be_written_or_not():
    told = SETTINGS | {"base_url": "https://api.example.com/v1"}
    provider = add_provider(slug="p", credential=SECRET, now=NOON, **told)

    told = SETTINGS | {"base_url": "https://api.example.com:443/v1"}

    assert change_provider(provider=provider, now=NOON, **told).credential != ""


@pytest.mark.parametrize(("secret", "hint"), [("short", "…"), ("", ""), (SECRET, "…cdef")])
def test_hint_of_a_short_secret_gives_nothing_away(secret, hint):
    provider = make_provider(credential="old", credential_hint="…old1")

    set_credential(provider=provider, credential=secret, now=NOON)

    stored = Provider.objects.get()
    assert (stored.credential_hint, bool(stored.credential)) == (hint, bool(secret))


def test_secret_stands_nowhere_in_the_trail():
    add_provider(slug="vllm", credential=SECRET, now=NOON, **SETTINGS)

    assert SECRET not in repr(audited())


def test_provider_in_use_is_not_retired_and_one_out_of_use_forgets_its_secret():
    provider = make_provider(slug="vllm", credential="sealed", credential_hint="…abcd")
    candidate = make_candidate(provider=provider)

    with pytest.raises(ProviderInUse):
        retire_provider(provider=provider, now=NOON)
    candidate.state = CandidateState.RETIRED
    candidate.save(update_fields=["state"])
    retire_provider(provider=provider, now=NOON)

    stored = Provider.objects.get()
    assert (stored.retired_at, stored.credential, stored.credential_hint) == (NOON, "", "")
    assert audited() == [("provider retired", "provider vllm", {})]


def test_retired_provider_changes_no_more():
    provider = make_provider(retired_at=NOON)

    for attempt in (
        lambda: change_provider(provider=provider, now=NOON, **SETTINGS),
        lambda: set_credential(provider=provider, credential=SECRET, now=NOON),
        lambda: retire_provider(provider=provider, now=NOON),
    ):
        with pytest.raises(ProviderRetired):
            attempt()


def test_command_seals_every_secret_with_the_newest_key(settings, capsys):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    make_provider(slug="a", credential=seal(SECRET, [old]))
    make_provider(slug="b")
    settings.ENCRYPTION_KEYS = [new, old]

    call_command("rotate_credentials")

    assert capsys.readouterr().out == "1 credentials sealed with the newest key.\n"
    assert open_token(Provider.objects.get(slug="a").credential, [new]) == SECRET
    assert Provider.objects.get(slug="b").credential == ""
    assert versions() == 1
    assert audited() == [("credentials resealed", "providers", {"providers": 1})]


def test_command_changes_nothing_where_one_secret_cannot_be_opened(settings):
    known, lost = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    tokens = [seal(SECRET, [known]), seal(SECRET, [lost])]
    for token in tokens:
        make_provider(credential=token)
    settings.ENCRYPTION_KEYS = [known]

    with pytest.raises(CommandError, match=r"^Nothing was changed: "):
        call_command("rotate_credentials")

    assert list(Provider.objects.order_by("id").values_list("credential", flat=True)) == tokens
