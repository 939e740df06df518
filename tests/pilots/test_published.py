"""What is committed here is in force in a gateway that runs over there."""

import asyncio
import threading
import time
from datetime import UTC, datetime

import pytest
from django.conf import settings

from apps.gateway.resp import Connection
from apps.gateway.routes import Routes
from apps.pilots.actions import issue_key, revoke_key
from tests.factories import make_enrollment, make_pilot


@pytest.fixture
def running(tmp_path, valkey):
    """The gateway's own holder of routes, following in a thread of its own."""
    routes = Routes(tmp_path / "routes.json")
    started, loop = threading.Event(), asyncio.new_event_loop()

    async def follow():
        async with (
            Connection(settings.REDIS_URL) as asking,
            Connection(settings.REDIS_URL) as listening,
        ):
            started.set()
            await asyncio.gather(routes.follow(asking), routes.listen(listening, asking))

    task = loop.create_task(follow())
    thread = threading.Thread(target=lambda: _run(loop, task), daemon=True)
    thread.start()
    started.wait(5)
    yield routes
    loop.call_soon_threadsafe(task.cancel)
    thread.join(5)
    loop.close()


def _run(loop, task):
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def seconds_until(condition):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < 5, "never"
        time.sleep(0.005)
    return time.monotonic() - began


@pytest.mark.django_db(transaction=True)
def test_change_is_in_force_within_a_second(running):
    enrollment = make_enrollment(make_pilot())

    key, _ = issue_key(enrollment=enrollment, now=datetime.now(UTC))
    issued = seconds_until(lambda: key.digest in running.table.keys)
    revoke_key(key=key, now=datetime.now(UTC))
    revoked = seconds_until(lambda: key.digest not in running.table.keys)

    assert max(issued, revoked) < 1
