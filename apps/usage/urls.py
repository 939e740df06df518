from django.urls import path

from apps.usage import connect, views

urlpatterns = [
    path("pilots/<slug:slug>/connect/", connect.connect, name="connect"),
    path("pilots/<slug:slug>/calls/", views.calls, name="calls"),
    path("pilots/<slug:slug>/calls/<uuid:call_id>/", views.call, name="call"),
]
