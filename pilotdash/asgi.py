"""The pages: `granian pilotdash.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilotdash.settings")
os.environ.setdefault("PILOTDASH_DATABASE_POOL", "on")

application = get_asgi_application()
