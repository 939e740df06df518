"""The Celery application: `celery -A pilotdash.celery:app`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilotdash.settings")

app = Celery("pilotdash")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Also in the threads in which pages are made: by itself it is the one of this thread alone.
app.set_default()


@worker_ready.connect
def watch_the_drain(sender: Any, **_: Any) -> None:
    """Let the worker that drains end itself when it has gone quiet."""
    # Imported here: tasks need Django's settings, which this module is read before.
    from apps.usage.quiet import watch_in_background
    from pilotdash.schedule import INGEST

    if sender.hostname.startswith(f"{INGEST}@"):
        watch_in_background()
