"""The web process hands work to the broker of this installation, from whichever thread."""

import os
import subprocess
import sys

from pilotdash.paths import ROOT

PROGRAM = """
import threading
import pilotdash.asgi
from celery import current_app
thread = threading.Thread(target=lambda: print(current_app.conf.broker_url, flush=True))
thread.start()
thread.join()
"""


def test_tasks_go_to_our_broker_from_any_thread():
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.strip() == os.environ["REDIS_URL"]
