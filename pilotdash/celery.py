"""The Celery application: `celery -A pilotdash.celery:app`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilotdash.settings")

app = Celery("pilotdash")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
