"""Links by which people join a pilot by themselves."""

from datetime import timedelta

import pytest

from apps.accounts.actions import invite
from apps.accounts.models import Invitation, User
from apps.pilots.join_links import (
    LinkNotOpen,
    WrongDomain,
    invite_by_link,
    is_open,
    join_by_link,
    join_link_of,
    make_join_link,
    revoke_join_link,
    sign_up_by_link,
)
from apps.pilots.models import Enrollment, JoinLink, Pilot
from tests.factories import NOON, PASSWORD, make_pilot, make_user
from tests.trail import audited

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NEW = {"name": "New One", "password": PASSWORD, "now": NOON}


def make_link(pilot=None, **fields):
    told = {"email_domains": [], "most_uses": 2, "lasts": 7 * DAY, "now": NOON} | fields
    return make_join_link(pilot=pilot or make_pilot(slug="p"), **told)


def uses():
    return JoinLink.objects.get().uses


def taking_part():
    return Enrollment.objects.filter(left_at=None).count()


def test_only_the_digest_of_a_link_is_stored():
    link, secret = make_link(email_domains=["example.com"])

    stored = " ".join(str(value) for value in JoinLink.objects.values().get().values())
    assert (secret in stored, link.hint) == (False, f"…{secret[-4:]}")
    assert join_link_of(secret) == link
    assert join_link_of("another") is None
    assert audited()[-1] == (
        "join link made",
        "pilot p",
        {
            "link": link.hint,
            "domains": ["example.com"],
            "most": 2,
            "until": "2026-11-25T12:00:00Z",
        },
    )


def test_link_opens_until_it_runs_out_is_used_up_or_revoked_or_the_pilot_is_over():
    link, _ = make_link()
    used_up = JoinLink(**{**_fields(link), "uses": 2})

    assert is_open(link, now=NOON + 6 * DAY)
    assert not is_open(link, now=NOON + 7 * DAY)
    assert not is_open(used_up, now=NOON)
    revoke_join_link(link=link, now=NOON)
    link.refresh_from_db()
    assert not is_open(link, now=NOON)
    other, _ = make_link(make_pilot())
    Pilot.objects.filter(id=other.pilot_id).update(closed_at=NOON)
    other.pilot.refresh_from_db()
    assert not is_open(other, now=NOON)


def _fields(link):
    return {
        "pilot": link.pilot,
        "most_uses": link.most_uses,
        "expires_at": link.expires_at,
        "revoked_at": None,
    }


def test_somebody_who_signs_in_joins_once():
    link, user = make_link()[0], make_user()

    for _ in range(2):
        join_by_link(link=link, user=user, now=NOON)

    assert (uses(), taking_part()) == (1, 1)


def test_link_is_for_so_many_people():
    link = make_link(most_uses=1)[0]
    join_by_link(link=link, user=make_user(), now=NOON)

    with pytest.raises(LinkNotOpen):
        join_by_link(link=link, user=make_user(), now=NOON)

    assert (uses(), taking_part()) == (1, 1)


@pytest.mark.parametrize("email", ["a@other.com", "a@example.com.evil.com", "a@sub.example.com"])
def test_link_is_for_its_domains(email):
    link = make_link(email_domains=["example.com"])[0]

    with pytest.raises(WrongDomain):
        join_by_link(link=link, user=make_user(email=email), now=NOON)
    with pytest.raises(WrongDomain):
        sign_up_by_link(link=link, email=email, **NEW)
    with pytest.raises(WrongDomain):
        invite_by_link(link=link, email=f"new-{email}", now=NOON)

    assert (uses(), taking_part()) == (0, 0)


def test_somebody_new_becomes_a_developer_who_takes_part():
    link = make_link(email_domains=["example.com"])[0]

    user = sign_up_by_link(link=link, email="New@Example.com", **NEW)

    assert (user.email, user.role, user.check_password(PASSWORD)) == (
        "new@example.com",
        "developer",
        True,
    )
    assert (uses(), taking_part()) == (1, 1)


def test_address_that_is_somebodys_makes_and_uses_nothing():
    link = make_link()[0]
    make_user(email="known@example.com")
    invite(email="lead@example.com", role="lead", invited_by=make_user().person, now=NOON)

    made = [
        sign_up_by_link(link=link, email=email, **NEW)
        for email in ("Known@example.com", "lead@example.com")
    ]
    sent = [
        invite_by_link(link=link, email=email, now=NOON)
        for email in ("Known@example.com", "lead@example.com")
    ]

    assert (made, sent, uses(), taking_part()) == ([None, None], [None, None], 0, 0)
    # What an administrator has sent stays good.
    assert Invitation.objects.get().is_open(at=NOON)
    assert User.objects.count() == 2


def test_letter_proves_an_address_and_asking_again_uses_nothing_more():
    link = make_link()[0]

    letters = [invite_by_link(link=link, email="new@example.com", now=NOON) for _ in range(2)]

    assert [letter.invitation.role for letter in letters] == ["developer", "developer"]
    assert [letter.invitation.is_open(at=NOON) for letter in letters] == [True, True]
    assert Invitation.objects.filter(revoked_at=None).get() == letters[1].invitation
    assert (uses(), taking_part(), User.objects.count()) == (1, 1, 0)


def test_revoking_is_told_once_and_who_joined_stays():
    link = make_link()[0]
    join_by_link(link=link, user=make_user(), now=NOON)

    for _ in range(2):
        revoke_join_link(link=link, now=NOON)

    revoked = [entry for entry in audited() if entry[0] == "join link revoked"]
    assert revoked == [("join link revoked", "pilot p", {"link": link.hint})]
    assert taking_part() == 1
    with pytest.raises(LinkNotOpen):
        join_by_link(link=link, user=make_user(), now=NOON)
