import pytest
from django.core import mail
from django.utils import timezone

from apps.accounts.models import Role
from apps.digest import tasks
from tests.digest.conftest import DUE
from tests.factories import make_user


def test_what_is_due_is_handed_to_workers_one_by_one(busy, monkeypatch):
    make_user(role=Role.LEAD)
    make_user(role=Role.ADMIN)
    monkeypatch.setattr(timezone, "now", lambda: DUE)
    handed = []
    monkeypatch.setattr(tasks.deliver, "delay", lambda **arguments: handed.append(arguments))

    tasks.send_due()
    for arguments in handed:
        tasks.deliver(**arguments)

    assert [sorted(arguments) for arguments in handed] == [["delivery_id"], ["delivery_id"]]
    assert len(mail.outbox) == 2


@pytest.mark.django_db
def test_nothing_is_handed_out_without_a_pilot(monkeypatch):
    make_user(role=Role.LEAD)
    monkeypatch.setattr(timezone, "now", lambda: DUE)

    tasks.send_due()

    assert mail.outbox == []
