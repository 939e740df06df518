"""Mails about the end of a pilot: what they say, and that each goes out once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.pilots.closing import announce_closing, call_off_closing, close_pilot
from apps.pilots.closing_letters import CLAIM_LASTS, GIVEN_UP_AFTER, send_letter, waiting_letters
from apps.pilots.models import ClosingLetter
from apps.pilots.tasks import close_due_pilots, send_closing_letter, send_closing_letters
from tests.factories import NOON, make_candidate, make_enrollment, make_pilot, make_trial, make_user

pytestmark = pytest.mark.django_db
THEN = NOON + timedelta(days=3)


def pilot_of(*emails, **fields):
    named = {"slug": "first", "name": "Trial\nof autumn", "zone": "Europe/Berlin"}
    pilot = make_pilot(**named | fields)
    make_trial(pilot, make_candidate(name="Qwen"))
    for email in emails:
        make_enrollment(pilot, make_user(email=email).person)
    return pilot


def send_all(now=NOON):
    return [send_letter(letter_id=each, now=now) for each in waiting_letters(now=now)]


def test_everybody_is_told_once_when_it_ends_and_what_their_key_does_then(mailoutbox):
    pilot = pilot_of("a@example.com", "b@example.com")
    announce_closing(pilot=pilot, closes_at=THEN, sentence="Thank you all.", now=NOON)

    sent = send_all()
    again = send_all()

    assert (sent, again) == ([True, True], [])
    assert [mail.to for mail in mailoutbox] == [["a@example.com"], ["b@example.com"]]
    mail = mailoutbox[0]
    assert mail.subject == "Trial of autumn closes on 21 November, 13:00"
    assert "on Saturday, 21 November 2026 at 13:00 (Europe/Berlin)" in mail.body
    assert "  Thank you all.\n" in mail.body
    assert f"\n{settings.SITE_URL}/pilots/first/rate/\n" in mail.body
    assert mail.extra_headers == {"Auto-Submitted": "auto-generated"}


def test_letters_never_say_who_answers_afterwards(mailoutbox):
    pilot = pilot_of("a@example.com")
    chosen = pilot.trials.get().candidate
    announce_closing(
        pilot=pilot, closes_at=THEN, after_close="winner", after_candidate=chosen, now=NOON
    )

    send_all()

    assert "Your key and your settings stay as they are" in mailoutbox[0].body
    assert "Qwen" not in mailoutbox[0].body + mailoutbox[0].subject


def test_other_letters_say_what_has_happened(mailoutbox):
    pilot = pilot_of("a@example.com")
    announce_closing(pilot=pilot, closes_at=THEN, now=NOON)
    send_all()
    call_off_closing(pilot=pilot, now=NOON)
    send_all()
    close_pilot(pilot=pilot, reason="Provider is gone", now=NOON)
    send_all()

    assert [mail.subject for mail in mailoutbox][1:] == [
        "Trial of autumn goes on",
        "Trial of autumn is closed",
    ]
    assert "does not close on Saturday, 21 November 2026 at 13:00" in mailoutbox[1].body
    assert "was closed on Wednesday, 18 November 2026 at 13:00" in mailoutbox[2].body


@pytest.mark.django_db(transaction=True)
def test_letter_is_sent_by_one_of_many_workers(mailoutbox):
    announce_closing(pilot=pilot_of("a@example.com"), closes_at=THEN, now=NOON)
    letter = ClosingLetter.objects.get()

    def send(_):
        try:
            return send_letter(letter_id=letter.id, now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(send, range(4)))

    assert sorted(sent) == [False, False, False, True]
    assert len(mailoutbox) == 1


def test_letter_of_a_worker_that_died_is_taken_up_again_and_an_old_one_is_not():
    announce_closing(pilot=pilot_of("a@example.com"), closes_at=THEN, now=NOON)
    letter = ClosingLetter.objects.get()
    ClosingLetter.objects.update(claimed_at=NOON)

    assert waiting_letters(now=NOON + CLAIM_LASTS) == []
    later = NOON + CLAIM_LASTS + timedelta(seconds=1)
    assert waiting_letters(now=later) == [letter.id]
    assert waiting_letters(now=NOON + GIVEN_UP_AFTER) == []


def test_nobody_is_written_to_who_may_not_sign_in_any_more(mailoutbox):
    pilot = pilot_of("a@example.com")
    announce_closing(pilot=pilot, closes_at=THEN, now=NOON)
    user = ClosingLetter.objects.get().recipient
    user.is_active = False
    user.save(update_fields=["is_active"])

    assert send_all() == [False]
    assert mailoutbox == []


def test_tasks_close_what_is_due_and_send_letters(mailoutbox, monkeypatch):
    due, later, now = pilot_of("a@example.com"), make_pilot(), timezone.now()
    told = now - timedelta(days=1)
    handed = []
    monkeypatch.setattr(send_closing_letter, "delay", lambda **told: handed.append(told))
    announce_closing(pilot=due, closes_at=now - timedelta(hours=1), now=told - timedelta(days=3))
    announce_closing(pilot=later, closes_at=now + timedelta(days=1), now=told - timedelta(days=3))
    ClosingLetter.objects.update(created_at=told)

    close_due_pilots()
    close_due_pilots()
    send_closing_letters()
    for arguments in handed:
        send_closing_letter(**arguments)
    send_closing_letters()

    due.refresh_from_db()
    later.refresh_from_db()
    assert (due.closed_at, later.closed_at) == (now - timedelta(hours=1), None)
    assert handed == [{"letter_id": ClosingLetter.objects.get().id}]
    assert [mail.to for mail in mailoutbox] == [["a@example.com"]]
