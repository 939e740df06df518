"""Issuing and revoking keys."""

from datetime import timedelta

import pytest

from apps.core.keys import digest, is_well_formed
from apps.pilots.actions import KEYS_AT_MOST, NotTakingPart, TooManyKeys, issue_key, revoke_key
from apps.pilots.models import Key
from tests.factories import NOON, make_enrollment, make_pilot
from tests.trail import audited, versions

pytestmark = pytest.mark.django_db


def test_key_lasts_180_days_and_only_its_digest_is_stored():
    enrollment = make_enrollment(make_pilot(slug="first"))

    key, plain = issue_key(enrollment=enrollment, name="laptop", now=NOON)

    assert is_well_formed(plain)
    assert plain.startswith("pd_")
    key.refresh_from_db()
    assert (key.digest, key.hint) == (digest(plain), f"pd_…{plain[-4:]}")
    assert (key.name, key.kind, key.revoked_at) == ("laptop", "developer", None)
    assert (key.created_at, key.expires_at) == (NOON, NOON + timedelta(days=180))
    assert audited() == [
        ("key issued", "pilot first", {"key": key.hint, "kind": "developer"}),
    ]


def test_reader_key_has_a_prefix_of_its_own():
    _, plain = issue_key(enrollment=make_enrollment(make_pilot()), kind="reader", now=NOON)

    assert plain.startswith("pdr_")


def test_key_is_revoked_once():
    key, _ = issue_key(enrollment=make_enrollment(make_pilot()), now=NOON)

    revoke_key(key=key, now=NOON + timedelta(hours=1))
    revoke_key(key=key, now=NOON + timedelta(hours=2))

    key.refresh_from_db()
    assert key.revoked_at == NOON + timedelta(hours=1)
    assert versions() == 2


def test_who_has_left_gets_no_key():
    enrollment = make_enrollment(make_pilot(), left_at=NOON)

    with pytest.raises(NotTakingPart):
        issue_key(enrollment=enrollment, now=NOON)


def test_keys_in_force_are_limited_and_dead_ones_do_not_count():
    enrollment = make_enrollment(make_pilot())
    keys = [issue_key(enrollment=enrollment, now=NOON)[0] for _ in range(KEYS_AT_MOST)]

    with pytest.raises(TooManyKeys):
        issue_key(enrollment=enrollment, now=NOON)
    revoke_key(key=keys[0], now=NOON)
    issue_key(enrollment=enrollment, now=NOON)

    assert Key.objects.filter(revoked_at__isnull=True).count() == KEYS_AT_MOST
