from django.urls import path

from apps.pilots import limit_views, views
from apps.pilots import setup_views as setup

PILOT = "setup/pilots/<slug:slug>/"

urlpatterns = [
    path("pilots/<slug:slug>/keys/", views.keys, name="keys"),
    path("pilots/<slug:slug>/keys/<int:key_id>/revoke/", views.revoke_key, name="revoke_key"),
    path("setup/pilots/", setup.setup_pilots, name="setup_pilots"),
    path("setup/create-pilot/", setup.create_pilot, name="create_pilot"),
    path(PILOT, setup.setup_pilot, name="setup_pilot"),
    path(f"{PILOT}change/", setup.change_pilot, name="change_pilot"),
    path(f"{PILOT}close/", setup.close_pilot, name="close_pilot"),
    path(f"{PILOT}trials/", setup.add_trial, name="add_trial"),
    path(f"{PILOT}trials/<int:trial_id>/drop/", setup.drop_trial, name="drop_trial"),
    path(f"{PILOT}people/", setup.enroll_people, name="enroll_people"),
    path(f"{PILOT}invite/", setup.invite_people_to_pilot, name="invite_people_to_pilot"),
    path(f"{PILOT}people/<int:enrollment_id>/take-out/", setup.take_out, name="take_out"),
    path(f"{PILOT}limits/<slug:scope>/", limit_views.set_limit, name="set_limit"),
    path(f"{PILOT}limits/<int:limit_id>/remove/", limit_views.remove_limit, name="remove_limit"),
    path(f"{PILOT}keys/<int:key_id>/revoke/", setup.revoke_any_key, name="revoke_any_key"),
]
