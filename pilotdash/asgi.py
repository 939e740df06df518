"""The pages: `granian pilotdash.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilotdash.settings")
os.environ.setdefault("PILOTDASH_DATABASE_POOL", "on")

application = get_asgi_application()

# Pages hand work to the workers: without it they would look for a broker of Celery's own choice.
from pilotdash.celery import app as celery_app  # noqa: E402, F401
