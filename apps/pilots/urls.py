from django.urls import path

from apps.pilots import join_views, limit_views, views, wizard_people, wizard_views
from apps.pilots import setup_views as setup

PILOT = "setup/pilots/<slug:slug>/"

urlpatterns = [
    path("join-pilot/<str:token>/", join_views.join_pilot, name="join_pilot"),
    path("pilots/<slug:slug>/keys/", views.keys, name="keys"),
    path("pilots/<slug:slug>/keys/<int:key_id>/revoke/", views.revoke_key, name="revoke_key"),
    path("setup/pilots/", setup.setup_pilots, name="setup_pilots"),
    path("setup/create-pilot/", wizard_views.create_pilot, name="create_pilot"),
    path(PILOT, setup.setup_pilot, name="setup_pilot"),
    path(f"{PILOT}plan/", wizard_views.plan, name="plan"),
    path(f"{PILOT}plan/basics/", wizard_views.plan_basics, name="plan_basics"),
    path(f"{PILOT}plan/candidates/", wizard_views.plan_candidates, name="plan_candidates"),
    path(f"{PILOT}plan/people/", wizard_people.plan_people, name="plan_people"),
    path(f"{PILOT}plan/people/invite/", wizard_people.plan_invite, name="plan_invite"),
    path(f"{PILOT}plan/people/link/", wizard_people.make_join_link, name="make_join_link"),
    path(
        f"{PILOT}plan/people/links/<int:link_id>/revoke/",
        wizard_people.revoke_join_link,
        name="revoke_join_link",
    ),
    path(f"{PILOT}plan/measures/", wizard_views.plan_measures, name="plan_measures"),
    path(f"{PILOT}trials/", setup.add_trial, name="add_trial"),
    path(f"{PILOT}trials/<int:trial_id>/drop/", setup.drop_trial, name="drop_trial"),
    path(f"{PILOT}people/", setup.enroll_people, name="enroll_people"),
    path(f"{PILOT}invite/", setup.invite_people_to_pilot, name="invite_people_to_pilot"),
    path(f"{PILOT}people/<int:enrollment_id>/take-out/", setup.take_out, name="take_out"),
    path(f"{PILOT}limits/<slug:scope>/", limit_views.set_limit, name="set_limit"),
    path(f"{PILOT}limits/<int:limit_id>/remove/", limit_views.remove_limit, name="remove_limit"),
    path(f"{PILOT}keys/<int:key_id>/revoke/", setup.revoke_any_key, name="revoke_any_key"),
]
