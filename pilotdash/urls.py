from django.urls import include, path, re_path

from pilotdash.readiness import readyz
from pilotdash.unknown import unknown_ingest

urlpatterns = [
    path("readyz", readyz, name="readyz"),
    path("", include("apps.dashboard.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.catalog.urls")),
    path("", include("apps.pilots.urls")),
    path("", include("apps.pilots.life_urls")),
    path("", include("apps.usage.urls")),
    path("", include("apps.feedback.urls")),
    path("accounts/", include("allauth.urls")),
    # After the routes that take something in.
    re_path(r"^ingest(?:/.*)?$", unknown_ingest, name="unknown_ingest"),
]
