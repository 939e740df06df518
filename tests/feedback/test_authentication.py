"""Which keys the feedback API takes, and what it tells about the others."""

import pytest
from django.test import Client

from apps.core.keys import checksum, new_key
from apps.feedback.models import Rating
from tests.feedback.asking import URL, error
from tests.feedback.conftest import AT

pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.parametrize("header", ["x-api-key", "api-key"])
def test_the_key_may_come_in_other_headers(send, world, header):
    call = world.call()

    assert (
        send({"id": str(call.id), "rating": "up"}, **{header: world.plain_key}).status_code == 200
    )


def wrong_keys(world):
    body = "a" * 34
    return {
        "none": {"accept": "*/*"},
        "empty": {"Authorization": "Bearer "},
        "another scheme": {"Authorization": f"Basic {world.plain_key}"},
        "a word": {"Authorization": "Bearer sk-123"},
        "mistyped": {"Authorization": f"Bearer {world.plain_key[:-1]}~"},
        "unknown": {"Authorization": f"Bearer {new_key()}"},
        "a bad checksum": {"Authorization": f"Bearer pd_{body}{checksum('b' * 34)}"},
        "not ASCII": {"Authorization": "Bearer pd_ä"},
    }


@pytest.mark.parametrize(
    "case",
    [
        "none",
        "empty",
        "another scheme",
        "a word",
        "mistyped",
        "unknown",
        "a bad checksum",
        "not ASCII",
    ],
)
def test_a_wrong_key_is_refused(send, world, case):
    call = world.call()

    response = send({"id": str(call.id), "rating": "up"}, **wrong_keys(world)[case])

    assert error(response) == (401, "authentication_error", "invalid_api_key", None)
    assert response["www-authenticate"] == "Bearer"
    assert not Rating.objects.exists()


@pytest.mark.parametrize(
    "change",
    ["revoked", "expired", "left", "erased", "inactive", "reader"],
)
def test_a_key_that_is_no_longer_in_force_is_refused_at_once(send, world, change):
    call = world.call()
    body = {"id": str(call.id), "rating": "up"}
    assert send(body).status_code == 200
    match change:
        case "revoked":
            world.key.revoked_at = AT
            world.key.save(update_fields=["revoked_at"])
        case "expired":
            world.key.expires_at = AT
            world.key.save(update_fields=["expires_at"])
        case "left":
            world.enrollment.left_at = AT
            world.enrollment.save(update_fields=["left_at"])
        case "erased":
            world.person.erased_at = AT
            world.person.save(update_fields=["erased_at"])
        case "inactive":
            world.user.is_active = False
            world.user.save(update_fields=["is_active"])
        case "reader":
            world.key.kind = "reader"
            world.key.save(update_fields=["kind"])

    response = send(body)

    assert error(response) == (401, "authentication_error", "invalid_api_key", None)


def test_a_page_of_another_site_gets_no_rating_without_a_key(world):
    """No cookie opens this route, so a forged form from a signed-in browser changes nothing."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.user)
    call = world.call()

    response = client.post(
        URL, {"id": str(call.id), "rating": "up"}, content_type="application/json"
    )

    assert error(response) == (401, "authentication_error", "invalid_api_key", None)
