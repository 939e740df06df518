"""The end of a pilot: announced, called off, due, or at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from apps.pilots.closing import (
    AfterTheLastDay,
    Afterwards,
    AnnouncedAlready,
    AnswersElsewhere,
    DraftIsNotAnnounced,
    NobodyAnswers,
    NotAnnounced,
    TooSoon,
    announce_closing,
    call_off_closing,
    close_due,
    close_pilot,
    due_pilots,
)
from apps.pilots.models import AfterClose, ClosingLetter, Pilot, PilotEvent
from apps.pilots.trail import PilotClosed
from apps.pilots.unblinding import NoReason
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_person,
    make_pilot,
    make_provider,
    make_trial,
    make_user,
)
from tests.trail import audited, versions

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
THEN = NOON + 3 * DAY


def ending(pilot):
    fields = ("closing_announced_at", "closes_at", "after_close", "closing_sentence", "closed_at")
    return Pilot.objects.values_list(*fields).get(id=pilot.id)


def events():
    return list(PilotEvent.objects.order_by("id").values_list("text", "at", "is_automatic"))


def letters():
    return sorted(ClosingLetter.objects.values_list("recipient__email", "kind", "closes_at"))


def enrolled(pilot, email, **fields):
    user = make_user(email=email)
    make_enrollment(pilot, user.person, **fields)
    return user


def test_closing_is_announced_three_days_ahead():
    pilot = make_pilot(slug="first", zone="Europe/Berlin")
    enrolled(pilot, "in@example.com")
    enrolled(pilot, "left@example.com", left_at=NOON)
    make_enrollment(pilot, make_person())  # invited, not there yet

    announce_closing(pilot=pilot, closes_at=THEN, sentence=" Use\nthe new key. ", now=NOON)

    assert ending(pilot) == (NOON, THEN, "gone", "Use the new key.", None)
    detail = {
        "closes_at": "2026-11-21 12:00:00+00:00",
        "afterwards": "gone",
        "sentence": "Use the new key.",
    }
    assert (audited(), versions()) == ([("closing announced", "pilot first", detail)], 1)
    text = "Closing announced for 21 November 2026, 13:00 Europe/Berlin"
    assert events() == [(text, NOON, True)]
    assert letters() == [("in@example.com", "announced", THEN)]


def test_three_days_are_the_least_and_one_announcement_the_most():
    pilot = make_pilot()

    with pytest.raises(TooSoon):
        announce_closing(pilot=pilot, closes_at=THEN - timedelta(seconds=1), now=NOON)
    announce_closing(pilot=pilot, closes_at=THEN, now=NOON)
    with pytest.raises(AnnouncedAlready):
        announce_closing(pilot=pilot, closes_at=THEN + DAY, now=NOON)

    assert ending(pilot)[1] == THEN


def test_nothing_is_left_to_close_after_the_last_day():
    pilot = make_pilot(ends_on=NOON.date() + 5 * DAY, zone="Europe/Berlin")
    end = NOON.replace(hour=23) + 5 * DAY

    with pytest.raises(AfterTheLastDay):
        announce_closing(pilot=pilot, closes_at=end + timedelta(seconds=1), now=NOON)
    announce_closing(pilot=pilot, closes_at=end, now=NOON)

    assert ending(pilot)[1] == end


def test_drafts_and_closed_pilots_are_not_announced():
    draft, closed = make_pilot(started_at=None), make_pilot(closed_at=NOON)

    with pytest.raises(DraftIsNotAnnounced):
        announce_closing(pilot=draft, closes_at=THEN, now=NOON)
    with pytest.raises(PilotClosed):
        announce_closing(pilot=closed, closes_at=THEN, now=NOON)


@pytest.mark.parametrize("after_close", [AfterClose.WINNER, AfterClose.FALLBACK])
def test_whoever_answers_afterwards_is_chosen_with_the_closing(after_close):
    pilot = make_pilot(slug="first")
    make_trial(pilot)
    chosen = make_candidate(slug="qwen")

    announce_closing(
        pilot=pilot, closes_at=THEN, after_close=after_close, after_candidate=chosen, now=NOON
    )

    pilot.refresh_from_db()
    assert (pilot.after_close, pilot.after_candidate) == (after_close, chosen)
    assert audited()[0][2]["candidate"] == "qwen"


def test_nobody_answers_afterwards_who_cannot_or_who_sends_code_elsewhere():
    pilot = make_pilot()
    make_trial(pilot, make_candidate(provider=make_provider(residence="inside")))
    told = {"pilot": pilot, "closes_at": THEN, "now": NOON, "after_close": "fallback"}

    with pytest.raises(NobodyAnswers):
        announce_closing(**told)
    with pytest.raises(NobodyAnswers):
        announce_closing(after_candidate=make_candidate(state="retired"), **told)
    with pytest.raises(AnswersElsewhere):
        announce_closing(after_candidate=make_candidate(), **told)

    assert ending(pilot) == (None, None, "gone", "", None)
    assert (audited(), letters(), events()) == ([], [], [])


def test_closing_is_called_off_and_those_who_were_told_are_told():
    pilot = make_pilot(slug="first")
    make_trial(pilot)
    enrolled(pilot, "told@example.com")
    enrolled(pilot, "waiting@example.com")
    announce_closing(
        pilot=pilot,
        closes_at=THEN,
        after_close="winner",
        after_candidate=pilot.trials.get().candidate,
        now=NOON,
    )
    told = ClosingLetter.objects.filter(recipient__email="told@example.com")
    told.update(claimed_at=NOON, sent_at=NOON)

    call_off_closing(pilot=pilot, now=NOON + DAY)

    assert ending(pilot) == (None, None, "gone", "", None)
    assert letters() == [
        ("told@example.com", "announced", THEN),
        ("told@example.com", "called_off", THEN),
    ]
    assert [text for text, _, _ in events()][1:] == ["Closing called off"]
    assert audited()[1][0] == "closing called off"
    with pytest.raises(NotAnnounced):
        call_off_closing(pilot=pilot, now=NOON)
    announce_closing(pilot=pilot, closes_at=THEN + DAY, now=NOON + DAY)


def test_due_pilots_close_at_the_instant_that_was_announced_and_once():
    pilot, later = make_pilot(slug="first"), make_pilot()
    announce_closing(pilot=pilot, closes_at=THEN, now=NOON)
    announce_closing(pilot=later, closes_at=THEN + DAY, now=NOON)
    late = THEN + timedelta(seconds=50)

    assert due_pilots(now=THEN - timedelta(seconds=1)) == []
    assert due_pilots(now=late) == [pilot.id]
    assert close_due(pilot_id=pilot.id, now=late) is True
    assert close_due(pilot_id=pilot.id, now=late) is False
    assert close_due(pilot_id=later.id, now=late) is False

    assert ending(pilot) == (NOON, THEN, "gone", "", THEN)
    assert due_pilots(now=late) == []
    assert audited()[2:] == [
        ("pilot closed", "pilot first", {"as": "announced", "afterwards": "gone"})
    ]
    assert events()[2:] == [("Closed", THEN, True)]


@pytest.mark.django_db(transaction=True)
def test_two_workers_close_a_pilot_once():
    pilot = make_pilot()
    announce_closing(pilot=pilot, closes_at=THEN, now=NOON)

    def close(_):
        try:
            return close_due(pilot_id=pilot.id, now=THEN)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        closed = list(pool.map(close, range(4)))

    assert sorted(closed) == [False, False, False, True]
    assert PilotEvent.objects.filter(text="Closed").count() == 1


def test_pilot_is_closed_at_once_with_a_reason_and_everybody_is_told():
    pilot = make_pilot(slug="first")
    enrolled(pilot, "in@example.com")

    with pytest.raises(NoReason):
        close_pilot(pilot=pilot, reason=" \n", now=NOON)
    close_pilot(
        pilot=pilot, reason="Budget is\nspent", afterwards=Afterwards(sentence="Over."), now=NOON
    )

    assert ending(pilot) == (None, None, "gone", "Over.", NOON)
    detail = {"reason": "Budget is spent", "afterwards": "gone", "sentence": "Over."}
    assert audited() == [("pilot closed", "pilot first", detail)]
    assert events() == [("Closed: Budget is spent", NOON, True)]
    assert letters() == [("in@example.com", "closed", NOON)]


def test_announced_closing_keeps_what_was_chosen_when_it_comes_at_once():
    pilot = make_pilot()
    announce_closing(pilot=pilot, closes_at=THEN, sentence="Over.", now=NOON)

    close_pilot(pilot=pilot, reason="Provider is gone", now=NOON + DAY)

    assert ending(pilot) == (NOON, THEN, "gone", "Over.", NOON + DAY)


def test_draft_is_closed_without_a_word():
    pilot = make_pilot(started_at=None)
    enrolled(pilot, "in@example.com")

    close_pilot(pilot=pilot, now=NOON)

    assert ending(pilot)[-1] == NOON
    assert letters() == []
