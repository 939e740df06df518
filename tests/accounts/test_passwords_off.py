"""PASSWORD_SIGN_IN=off decides which URLs there are, so it is tried in a process of its own."""

import json
import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from pilotdash.paths import ROOT

SCRIPT = """
import json
import django

django.setup()
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, get_resolver

settings.ALLOWED_HOSTS.append("testserver")
settings.STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
page = Client().get("/accounts/login/")
names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
print(json.dumps({
    "status": page.status_code,
    "page": page.content.decode(),
    "names": sorted(name for name in names if "password" in name),
}))
"""


@pytest.mark.django_db(transaction=True)
def test_nothing_asks_for_a_password():
    url = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
    environment = os.environ | {
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "pilotdash.settings",
        "PASSWORD_SIGN_IN": "off",
        "OIDC_ISSUER": "http://127.0.0.1:9",
        "OIDC_CLIENT_ID": "pilotdash",
        "OIDC_CLIENT_SECRET": "secret",
    }

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=ROOT, capture_output=True, text=True
    )

    told = json.loads(done.stdout or f'{{"error": {json.dumps(done.stderr[-2000:])}}}')
    page = told.pop("page", "")
    assert told == {"status": 200, "names": []}
    assert 'type="password"' not in page
    assert "Sign in by single sign-on" in page
