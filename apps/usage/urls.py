from django.urls import path

from apps.usage import views

urlpatterns = [
    path("pilots/<slug:slug>/calls/", views.calls, name="calls"),
    path("pilots/<slug:slug>/calls/<uuid:call_id>/", views.call, name="call"),
]
