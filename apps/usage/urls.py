from django.urls import path

from apps.usage import connect, dead_letter_views, views

urlpatterns = [
    path("pilots/<slug:slug>/connect/", connect.connect, name="connect"),
    path("pilots/<slug:slug>/connect/arrived/", connect.connection, name="connection"),
    path("pilots/<slug:slug>/calls/", views.calls, name="calls"),
    path("pilots/<slug:slug>/calls/calls.csv", views.calls_csv, name="calls_csv"),
    path("pilots/<slug:slug>/calls/<uuid:reference>/", views.call, name="call"),
    path("setup/dead-letters/", dead_letter_views.dead_letters, name="dead_letters"),
    path(
        "setup/dead-letters/<int:letter_id>/retry/",
        dead_letter_views.retry_dead_letter,
        name="retry_dead_letter",
    ),
    path(
        "setup/dead-letters/<int:letter_id>/settle/",
        dead_letter_views.settle_dead_letter,
        name="settle_dead_letter",
    ),
]
