"""The pages of calls in a pilot that names nobody."""

import re
from datetime import timedelta

import pytest

from apps.accounts.models import Role
from tests.factories import NOON, make_user
from tests.usage.pages import get, shown

pytestmark = pytest.mark.usefixtures("clock")


def traces(call):
    """What would tell the moment of a call or who made it: its id in any form, time, person."""
    millis = call.id.int >> 80
    at = call.admitted_at
    return [
        str(call.id),
        call.id.hex,
        f"{millis}",
        f"{millis:x}",
        f"{at:%H:%M:%S}",
        f"{at:%H:%M}",
        call.session,
        call.client,
    ]


@pytest.mark.parametrize("role", [Role.LEAD, Role.ADMIN])
def test_where_nobody_is_named_leads_learn_neither_who_nor_the_minute(client, unnamed, role):
    reader = make_user(role=role, totp_exempt=True)
    at = NOON.replace(minute=37, second=41, microsecond=123_000)
    words = {"session": "a-session-of-hers", "client": "her-client/7"}
    calls = [unnamed.call(at=at - timedelta(seconds=each), **words) for each in range(60)]
    who = [unnamed.developer.name, unnamed.developer.email, unnamed.developer.person.pseudonym]

    first = get(client, reader, f"{unnamed.path}calls/")
    older = client.get(f"{unnamed.path}calls/{first.context['older']}")
    newer = client.get(f"{unnamed.path}calls/{older.context['newer']}")
    link = re.search(r'<a id="[^"]+" href="([^"]+)"', first.content.decode()).group(1)
    one = client.get(link)
    export = client.get(f"{unnamed.path}calls/calls.csv")

    assert (len(shown(first)), len(shown(older))) == (50, 10)
    assert {*shown(first), *shown(older)} == {call.id for call in calls}
    assert {*shown(newer)} == {*shown(first)}
    for response in (first, older, newer, one, export):
        text = response.content.decode()
        assert "12:00" in text
        for trace in [*who, *(trace for call in calls for trace in traces(call))]:
            assert trace not in text
    assert "person" not in first.context["form"].fields
    assert one.context["row"].call.id in {call.id for call in calls}


def test_where_nobody_is_named_a_plain_id_opens_nothing(client, unnamed):
    call = unnamed.call()

    assert get(client, unnamed.lead, f"{unnamed.path}calls/{call.id}/").status_code == 404
    assert get(client, unnamed.developer, f"{unnamed.path}calls/{call.id}/").status_code == 200


def test_where_nobody_is_named_the_order_within_an_hour_is_not_that_of_time(client, unnamed):
    calls = unnamed.calls(8)
    late = unnamed.call(at=NOON + timedelta(hours=1))

    response = get(client, unnamed.lead, f"{unnamed.path}calls/")

    listed = response.context["listed"]
    # At 12:00, then 11:53 to 11:59: hours from the newest, each in the order of its references.
    assert shown(response)[:2] == [late.id, calls[0].id]
    assert [each.reference for each in listed[2:]] == sorted(each.reference for each in listed[2:])
    assert {*shown(response)[2:]} == {call.id for call in calls[1:]}


def test_where_nobody_is_named_a_person_is_no_filter(client, unnamed):
    pseudonym = unnamed.developer.person.pseudonym
    unnamed.call()
    unnamed.call(person=unnamed.colleague().person)

    response = get(client, unnamed.lead, f"{unnamed.path}calls/", person=pseudonym)

    assert len(shown(response)) == 2
