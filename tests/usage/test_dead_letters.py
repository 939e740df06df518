import re

import pytest
from django.utils import timezone

from apps.accounts.models import AuditEntry, Role
from apps.usage.dead_letters import SHOWN_CHARACTERS, letter_page, open_count, readable
from apps.usage.models import Call, DeadLetter
from tests.factories import NOON, make_record, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
PATH = "/setup/dead-letters/"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)


@pytest.fixture
def admin(client):
    user = make_user(role=Role.ADMIN, totp_exempt=True)
    client.force_login(user)
    return user


def bury(number=0, raw=b"{", **fields):
    return DeadLetter.objects.create(
        **{"received_at": NOON, "entry_id": f"{number}-0", "reason": "unreadable", "raw": raw}
        | fields
    )


def storable():
    return make_record(pilot_id=1, person_id=1, candidate_id=1).to_json()


def trail():
    return list(AuditEntry.objects.values_list("action", "subject", "detail"))


def said(response):
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("action", ["", "retry/", "settle/"])
def test_administrators_alone_see_to_dead_letters(client, action):
    letter = bury(raw=storable())
    path = f"{PATH}{letter.id}/{action}" if action else PATH
    ask = client.post if action else client.get

    assert ask(path).status_code == 302
    for role in (Role.LEAD, Role.DEVELOPER, Role.VIEWER):
        client.force_login(make_user(role=role))
        assert ask(path).status_code == 403
    letter.refresh_from_db()
    assert (letter.settled_at, Call.objects.count(), trail()) == (None, 0, [])


@pytest.mark.parametrize("action", ["retry", "settle"])
def test_changes_are_asked_for_by_post(client, admin, action):
    assert client.get(f"{PATH}{bury().id}/{action}/").status_code == 405


def test_a_record_is_shown_escaped_with_its_reason(client, admin):
    bury(raw=b'{"alias": "<script>alert(1)</script>"}', reason="task <b>'x'</b> is not one of")

    html = client.get(PATH).content.decode()

    assert "<script>alert(1)" not in html
    assert "&quot;alias&quot;: &quot;&lt;script&gt;alert(1)&lt;/script&gt;&quot;" in html
    assert "task &lt;b&gt;" in html


def test_trying_again_stores_the_call_and_settles_the_letter(client, admin):
    letter = bury(raw=storable())

    response = client.post(f"{PATH}{letter.id}/retry/", follow=True)

    letter.refresh_from_db()
    assert (Call.objects.count(), letter.settled_at) == (1, NOON)
    assert said(response) == ["The call is stored and counts."]
    assert trail() == [("dead letter stored after all", "dead letter 0-0", {"new_calls": 1})]


def test_trying_again_a_call_that_is_there_counts_it_once(client, admin):
    raw = storable()
    for number in range(2):
        response = client.post(f"{PATH}{bury(number, raw).id}/retry/", follow=True)

    assert Call.objects.count() == 1
    assert said(response) == ["The call was there already."]
    assert open_count() == 0


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"{", "unreadable"),
        (
            make_record(
                pilot_id=1, person_id=1, candidate_id=1, prompt_tokens=1, cached_tokens=2
            ).to_json(),
            "violates check constraint",
        ),
        (
            make_record(pilot_id=1, person_id=1, candidate_id=1, total_ms=2**40).to_json(),
            "out of range",
        ),
    ],
)
def test_what_still_cannot_be_stored_stays_open_with_the_reason(client, admin, raw, problem):
    letter = bury(raw=raw)

    response = client.post(f"{PATH}{letter.id}/retry/", follow=True)

    (words,) = said(response)
    assert words.startswith("It still cannot be stored: ")
    assert problem in words
    assert (open_count(), Call.objects.count(), trail()) == (1, 0, [])


def test_settling_keeps_the_record_and_is_audited_once(client, admin):
    letter = bury()

    for _ in range(2):
        client.post(f"{PATH}{letter.id}/settle/")

    assert (open_count(), DeadLetter.objects.count()) == (0, 1)
    assert trail() == [("dead letter settled", "dead letter 0-0", {})]
    settled = client.get(PATH, {"show": "settled"}).content.decode()
    assert "unreadable" in settled
    assert "Try again</button>" not in settled
    assert "Every record could be stored" in client.get(PATH).content.decode()


def test_pages_go_from_the_newest_to_the_oldest(client, admin):
    letters = [bury(number) for number in range(5)]
    bury(9, settled_at=NOON)

    first = letter_page(settled=False, size=2)
    second = letter_page(settled=False, before=first.older, size=2)
    third = letter_page(settled=False, before=second.older, size=2)

    assert [[shown.letter.id for shown in page.letters] for page in (first, second, third)] == [
        [letters[4].id, letters[3].id],
        [letters[2].id, letters[1].id],
        [letters[0].id],
    ]
    assert third.older is None


def test_the_page_links_to_the_next_one(client, admin):
    letters = [bury(number) for number in range(26)]

    html = client.get(PATH).content.decode()

    assert re.search(r'rel="next" href="([^"]+)"', html).group(1) == f"?before={letters[1].id}"
    assert client.get(f"{PATH}?before={letters[1].id}").content.decode().count("Try again</b") == 1


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b'{"v":1,"id":"\xc3\xa9"}', '{\n "v": 1,\n "id": "é"\n}'),
        (b"{\xff\x00", "{\ufffd\ufffd"),
        (b"[" * 1000, "[" * 1000),
        (b"", ""),
    ],
)
def test_bytes_become_what_can_be_read(raw, text):
    assert readable(raw) == text


def test_a_long_record_is_cut():
    bury(raw=b"x" * 1_000_000)

    (shown,) = letter_page(settled=False).letters

    assert (len(shown.text), shown.size, shown.is_cut) == (SHOWN_CHARACTERS, 1_000_000, True)
