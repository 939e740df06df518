"""How people want to be asked: their choice alone, and addresses that nobody reads again."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import IntegrityError, transaction

from apps.accounts.departures import deactivate
from apps.catalog.posting import NotPostable
from apps.feedback.models import AskPreference
from apps.feedback.preferences import (
    NoMail,
    NoWebhook,
    address_of,
    choose,
    post,
    preference_of,
    reseal_webhooks,
    stop,
)
from tests.factories import NOON

ADDRESS = "https://hooks.example/services/T0/B0/secret"
SOME_KEY = Fernet.generate_key().decode()


def wish(world, channel="webhook", hour=16, **fields):
    return choose(enrollment=world.enrollment, channel=channel, hour=hour, now=NOON, **fields)


def stored():
    rows = AskPreference.objects.values_list("channel", "hour", "webhook_hint", "changed_at")
    return list(rows)


def test_who_never_chose_is_asked_on_the_page_at_four(world):
    usual = preference_of(world.enrollment)

    assert (usual.channel, usual.hour, usual.webhook) == ("page", 16, "")
    assert stored() == []


def test_a_choice_replaces_the_one_before(world):
    wish(world, "shell", 9)
    wish(world, "page", 18)

    assert stored() == [("page", 18, "", NOON)]


def test_address_is_sealed_and_known_by_a_hint(world):
    made = wish(world, webhook=ADDRESS)

    assert stored() == [("webhook", 16, "hooks.example, ends in cret", NOON)]
    assert "hooks" not in made.webhook
    assert address_of(AskPreference.objects.get()) == ADDRESS


def test_an_empty_address_keeps_the_one_that_is_known(world):
    wish(world, webhook=ADDRESS)
    wish(world, hour=9)

    assert stored() == [("webhook", 9, "hooks.example, ends in cret", NOON)]


def test_another_channel_forgets_the_address(world):
    wish(world, webhook=ADDRESS)
    wish(world, "page")

    assert AskPreference.objects.get().webhook == ""
    with pytest.raises(NoWebhook):
        wish(world)


def test_address_that_may_not_be_reached_is_refused(world):
    with pytest.raises(NotPostable):
        wish(world, webhook="https://10.0.0.1/a")

    assert stored() == []


def test_mail_is_chosen_only_where_mails_leave(world, settings):
    wish(world, "email")
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    with pytest.raises(NoMail):
        wish(world, "email")


def test_stopping_lasts_and_forgets_the_address(world):
    wish(world, webhook=ADDRESS, hour=9)

    stop(enrollment=world.enrollment, now=NOON)

    assert stored() == [("off", 9, "", NOON)]
    assert AskPreference.objects.get().webhook == ""


def test_message_is_posted_to_the_address(world, chat):
    post(wish(world, webhook=chat.url), {"text": "hi"})

    assert chat.posts == [{"text": "hi"}]


def test_address_that_no_key_opens_is_to_be_typed_again(world, settings):
    made = wish(world, webhook=ADDRESS)
    settings.ENCRYPTION_KEYS = [SOME_KEY]

    with pytest.raises(NotPostable) as refused:
        post(made, {"text": "hi"})

    assert str(refused.value) == "The address cannot be opened any more; type it again."


def test_rotating_keys_seals_addresses_again(world, settings):
    wish(world, webhook=ADDRESS)
    settings.ENCRYPTION_KEYS = [SOME_KEY, *settings.ENCRYPTION_KEYS]

    call_command("rotate_credentials")
    settings.ENCRYPTION_KEYS = [SOME_KEY]

    assert address_of(AskPreference.objects.get()) == ADDRESS
    assert reseal_webhooks() == 1


def test_address_of_who_is_shut_out_is_forgotten(world):
    wish(world, webhook=ADDRESS)

    deactivate(user=world.user, actor=None, now=NOON)

    assert AskPreference.objects.get().webhook == ""
    assert [channel for channel, *_ in stored()] == ["page"]


def test_the_database_knows_hours_and_addresses(world):
    made = wish(world, "page")
    with pytest.raises(IntegrityError, match="hour_exists"), transaction.atomic():
        AskPreference.objects.update(hour=24)
    with pytest.raises(IntegrityError, match="has_an_address"), transaction.atomic():
        AskPreference.objects.update(channel="webhook")
    assert str(made) == f"{world.enrollment.id} by page"
