"""The product's settings, on servers of the test run's own."""

import os

from tests.servers import set_environment

set_environment()
os.environ["SECRET_KEY"] = "a secret of the tests, long enough for every use that it is put to"
os.environ["PILOTDASH_ENCRYPTION_KEYS"] = "kCsU0dkRjLsNJZ2tGC0lStRe3qcXlXOc1FAAbQ3Yb3Q="
for _name in ("HOST", "PORT", "SITE_URL", "ALLOWED_HOSTS", "MONITORING_TOKEN", "TIME_ZONE"):
    os.environ.pop(_name, None)

from pilotdash.settings import *  # noqa: E402, F403
from pilotdash.settings import ALLOWED_HOSTS, STATIC_ROOT, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
# None are collected for a test, and ServeStatic warns where there is not even a folder.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
