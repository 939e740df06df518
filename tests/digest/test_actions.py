import smtplib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection

from apps.accounts.models import Role
from apps.digest.actions import CLAIM_LASTS, deliver, plan
from apps.digest.models import Delivery
from tests.digest.conftest import DAY, DUE, MONDAY, WEEK, make_trialled
from tests.factories import make_pilot, make_user

MINUTE = timedelta(minutes=1)


@pytest.fixture
def lead(db):
    return make_user(role=Role.LEAD)


def planned():
    return [
        (each.pilot_id, each.week, each.recipient_id)
        for each in Delivery.objects.order_by("pilot_id", "recipient_id")
    ]


def test_a_summary_goes_to_every_lead_and_administrator_once(lead, busy):
    admin = make_user(role=Role.ADMIN)
    for other in (Role.DEVELOPER, Role.VIEWER):
        make_user(role=other)
    make_user(role=Role.LEAD, is_active=False)
    make_user(role=Role.LEAD, date_joined=DUE + MINUTE)  # not yet there when it was due

    ids = plan(now=DUE)
    sent = [deliver(delivery_id=each, now=DUE) for each in ids]
    again = [deliver(delivery_id=each, now=DUE + timedelta(hours=1)) for each in ids]

    assert planned() == [(busy.pilot.id, WEEK, lead.id), (busy.pilot.id, WEEK, admin.id)]
    assert (sent, again) == ([True, True], [False, False])
    assert [message.to for message in mail.outbox] == [[lead.email], [admin.email]]
    assert plan(now=DUE + timedelta(hours=1)) == []


def test_the_mail_has_a_subject_a_text_and_html(lead, busy):
    deliver(delivery_id=plan(now=DUE)[0], now=DUE)

    (message,) = mail.outbox
    assert message.subject == "Platform & tools, 16 to 22 November 2026: 20 calls, $0.048"
    assert message.body.startswith("Platform & tools\nThe week from 16 to 22 November 2026")
    assert message.from_email == "PilotDash <pilotdash@localhost>"
    assert message.extra_headers == {"Auto-Submitted": "auto-generated"}
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    assert "<h1" in html
    assert "Platform &amp; tools" in html


@pytest.mark.parametrize(
    ("now", "is_due"),
    [
        (DUE - MINUTE, False),  # Monday, before seven
        (DUE, True),
        (DUE + 6 * DAY + timedelta(hours=16, minutes=59), True),  # Sunday night: still made up for
        (DUE + 6 * DAY + timedelta(hours=17), False),  # the next Monday has begun
    ],
)
def test_a_summary_is_due_from_monday_morning_until_the_week_is_over(lead, busy, now, is_due):
    assert bool(plan(now=now)) is is_due


def test_the_morning_is_that_of_the_pilots_zone(lead):
    make_trialled(zone="America/Los_Angeles")

    assert plan(now=datetime(2026, 11, 23, 14, 59, tzinfo=UTC)) == []
    assert len(plan(now=datetime(2026, 11, 23, 15, 0, tzinfo=UTC))) == 1


@pytest.mark.parametrize(
    ("pilot", "is_told"),
    [
        ({}, True),
        ({"starts_on": WEEK + 6 * DAY}, True),  # it began on the Sunday
        ({"starts_on": WEEK + 7 * DAY}, False),
        ({"ends_on": WEEK}, True),  # it ended on the Monday
        ({"ends_on": WEEK - DAY}, False),
        ({"closed_at": MONDAY}, True),  # closed within the week
        ({"closed_at": MONDAY - DAY}, False),
    ],
)
def test_pilots_that_ran_within_the_week_are_told_of(lead, pilot, is_told):
    make_trialled(**pilot)

    assert bool(plan(now=DUE)) is is_told


def test_each_pilot_has_a_mail_of_its_own(lead, busy):
    make_pilot(slug="second", name="Second")

    for delivery_id in plan(now=DUE):
        deliver(delivery_id=delivery_id, now=DUE)

    assert [message.subject.partition(",")[0] for message in mail.outbox] == [
        "Platform & tools",
        "Second",
    ]


def test_planning_twice_changes_nothing(lead, busy):
    assert plan(now=DUE) == plan(now=DUE + MINUTE)
    assert len(planned()) == 1


def test_a_summary_that_another_worker_has_is_left_to_it_for_a_while(lead, busy):
    (delivery_id,) = plan(now=DUE)
    Delivery.objects.update(claimed_at=DUE)

    assert plan(now=DUE + CLAIM_LASTS) == []
    assert deliver(delivery_id=delivery_id, now=DUE + CLAIM_LASTS) is False
    assert plan(now=DUE + CLAIM_LASTS + MINUTE) == [delivery_id]
    assert deliver(delivery_id=delivery_id, now=DUE + CLAIM_LASTS + MINUTE) is True


def test_a_mail_that_failed_goes_out_when_its_claim_has_run_out(lead, busy, monkeypatch):
    (delivery_id,) = plan(now=DUE)

    def refuse(*_, **__):
        raise smtplib.SMTPServerDisconnected("gone")

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            deliver(delivery_id=delivery_id, now=DUE)
    later = DUE + CLAIM_LASTS + MINUTE

    assert plan(now=later) == [delivery_id]
    assert deliver(delivery_id=delivery_id, now=later) is True
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.DEVELOPER}])
def test_whoever_is_no_lead_any_more_gets_nothing(lead, busy, change):
    (delivery_id,) = plan(now=DUE)
    for name, value in change.items():
        setattr(lead, name, value)
    lead.save(update_fields=list(change))

    assert deliver(delivery_id=delivery_id, now=DUE) is False
    assert plan(now=DUE + timedelta(hours=1)) == []
    assert mail.outbox == []


def test_a_missing_summary_is_none_to_send(db):
    assert deliver(delivery_id=1, now=DUE) is False


def test_a_name_cannot_add_a_header(lead):
    make_trialled(name="Platform\r\nBcc: everyone@example.com")

    deliver(delivery_id=plan(now=DUE)[0], now=DUE)

    (message,) = mail.outbox
    assert message.subject.startswith("Platform Bcc: everyone@example.com, 16 to 22 November")
    assert message.recipients() == [lead.email]
    assert message.message()["Bcc"] is None


def test_the_database_holds_one_delivery_for_a_pilot_week_and_reader(lead, busy):
    plan(now=DUE)

    with pytest.raises(IntegrityError, match="delivery_once_per_pilot_week_and_recipient"):
        Delivery.objects.create(pilot=busy.pilot, week=WEEK, recipient=lead)


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one_mail():
    make_user(role=Role.LEAD)
    make_trialled()
    (delivery_id,) = plan(now=DUE)
    ready = threading.Barrier(2)
    answers = []

    def work():
        try:
            ready.wait(timeout=10)
            answers.append(deliver(delivery_id=delivery_id, now=DUE))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [False, True]
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_mail_server_talks(monkeypatch):
    make_user(role=Role.LEAD)
    make_trialled()
    (delivery_id,) = plan(now=DUE)
    open_then = []

    def look(_self, messages):
        open_then.append(connection.in_atomic_block)
        return len(messages)

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", look)
    deliver(delivery_id=delivery_id, now=DUE)

    assert open_then == [False]


@pytest.mark.parametrize("readers", [1, 3])
def test_planning_asks_the_same_queries_for_any_number_of_readers(
    busy, readers, django_assert_num_queries
):
    for _ in range(readers):
        make_user(role=Role.LEAD)

    with django_assert_num_queries(4):
        assert len(plan(now=DUE)) == readers
