"""The product's settings for the type checker, which reads them and connects to nothing."""

import os

os.environ.setdefault("SECRET_KEY", "none")
os.environ.setdefault("PILOTDASH_ENCRYPTION_KEYS", "none")
os.environ.setdefault("DATABASE_URL", "postgres:///none")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")

from pilotdash.settings import *  # noqa: F403
