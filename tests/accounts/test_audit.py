from datetime import date
from decimal import Decimal

import pytest

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.core.keys import new_key
from tests.factories import NOON, make_person

pytestmark = pytest.mark.django_db


def record(detail):
    return audit.record(actor=None, action="did", subject="thing", detail=detail, now=NOON)


def test_an_entry_says_who_what_when():
    person = make_person()

    audit.record(
        actor=person,
        action="price changed",
        subject="candidate qwen",
        detail={"input_usd_per_mtok": Decimal("0.15"), "from": date(2026, 11, 2), "tags": ["a"]},
        now=NOON,
    )

    entry = AuditEntry.objects.get()
    assert (entry.at, entry.actor, entry.action, entry.subject) == (
        NOON,
        person,
        "price changed",
        "candidate qwen",
    )
    assert entry.detail == {"input_usd_per_mtok": "0.15", "from": "2026-11-02", "tags": ["a"]}


def test_no_detail_is_an_empty_one_and_a_long_subject_is_cut():
    entry = audit.record(actor=None, action="did", subject="x" * 300, now=NOON)

    assert (entry.detail, len(entry.subject)) == ({}, 200)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "api_key",
        "apiKey",
        "apikey",
        "Authorization",
        "access-token",
        "token",
        "clientSecret",
        "secret",
        "credentials",
        "session_cookie",
        "private_key",
    ],
)
@pytest.mark.parametrize("wrap", [dict, lambda d: {"a": d}, lambda d: {"a": [{"b": d}]}])
def test_a_field_named_like_a_secret_is_refused_without_telling_it(name, wrap):
    with pytest.raises(audit.SecretInDetail) as refusal:
        record(wrap({name: "hunter2"}))

    assert "hunter2" not in str(refusal.value)
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize(
    "name", ["prompt_tokens", "max_tokens", "tokenizer", "key_hint", "keys_revoked", "secretary"]
)
def test_a_field_that_only_sounds_like_one_is_fine(name):
    assert record({name: 1}).detail == {name: 1}


@pytest.mark.parametrize("shape", ["{}", "Bearer {}", "key={},"])
def test_a_key_of_ours_is_refused_under_any_name(shape):
    with pytest.raises(audit.SecretInDetail):
        record({"note": [shape.format(new_key())]})
