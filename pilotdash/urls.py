from django.urls import include, path

from pilotdash.readiness import readyz

urlpatterns = [
    path("readyz", readyz, name="readyz"),
    path("", include("apps.dashboard.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.catalog.urls")),
    path("", include("apps.pilots.urls")),
    path("", include("apps.usage.urls")),
    path("", include("apps.feedback.urls")),
    path("accounts/", include("allauth.urls")),
]
