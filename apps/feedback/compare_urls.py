"""Addresses of blind comparison, and of the screening's side by side."""

from django.urls import URLPattern, path

from apps.feedback import compare_views, screening_views

_BLIND = "pilots/<slug:slug>/blind/"
_NAMED = "pilots/<slug:slug>/side-by-side/"
_ONE = "<uuid:comparison_id>/"

urlpatterns: list[URLPattern] = [
    path(_BLIND, compare_views.blind, name="blind"),
    path(f"{_BLIND}ask/", compare_views.ask_blind, name="ask_blind"),
    path(f"{_BLIND}{_ONE}", compare_views.blind_comparison, name="blind_comparison"),
    path(f"{_BLIND}{_ONE}vote/", compare_views.vote_blind, name="vote_blind"),
    path(f"{_BLIND}{_ONE}withdraw/", compare_views.withdraw_blind_vote, name="withdraw_blind_vote"),
    path(_NAMED, screening_views.side_by_side, name="side_by_side"),
    path(f"{_NAMED}ask/", screening_views.ask_side_by_side, name="ask_side_by_side"),
    path(f"{_NAMED}{_ONE}", screening_views.screened, name="screened"),
    path(f"{_NAMED}{_ONE}pick/", screening_views.pick_answer, name="pick_answer"),
    path(f"{_NAMED}{_ONE}withdraw/", screening_views.withdraw_pick, name="withdraw_pick"),
]
