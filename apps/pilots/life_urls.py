"""Pages of a pilot's life after its start: turns, swaps, events, closing, incumbents."""

from django.urls import path

from apps.pilots import swap_views

urlpatterns = [
    path(
        "pilots/<slug:slug>/not-this-one/<str:alias>/", swap_views.not_this_one, name="not_this_one"
    ),
]
