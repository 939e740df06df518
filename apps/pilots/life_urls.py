"""Pages of a pilot's life after its start: turns, swaps, events, its end, incumbents."""

from django.urls import path

from apps.pilots import closing_views, incumbent_views, log_views, rotation_views, swap_views

PILOT = "pilots/<slug:slug>/"
SETUP = f"setup/{PILOT}"
TOOL = f"{SETUP}incumbents/<int:incumbent_id>/"

urlpatterns = [
    path(f"{PILOT}not-this-one/<str:alias>/", swap_views.not_this_one, name="not_this_one"),
    path(f"{PILOT}rotation/", rotation_views.rotation, name="rotation"),
    path(f"{PILOT}rotation/unblind/", rotation_views.unblind, name="unblind"),
    path(f"{PILOT}log/", log_views.pilot_log, name="pilot_log"),
    path(f"{PILOT}log/<int:event_id>/remove/", log_views.remove_event, name="remove_event"),
    path(f"{SETUP}turns/", rotation_views.setup_rotations, name="setup_rotations"),
    path(f"{SETUP}turns/<str:alias>/add/", rotation_views.add_arm, name="add_arm"),
    path(f"{SETUP}turns/<str:alias>/end/", rotation_views.end_rotation, name="end_rotation"),
    path(f"{SETUP}close/", closing_views.close_pilot, name="close_pilot"),
    path(f"{SETUP}close/call-off/", closing_views.call_off_closing, name="call_off_closing"),
    path(f"{SETUP}incumbents/", incumbent_views.incumbents, name="incumbents"),
    path(TOOL, incumbent_views.incumbent, name="incumbent"),
    path(f"{TOOL}day/", incumbent_views.type_day, name="type_incumbent_day"),
    path(f"{TOOL}import/", incumbent_views.import_days, name="import_incumbent_days"),
    path(f"{TOOL}remove/", incumbent_views.remove_incumbent, name="remove_incumbent"),
]
