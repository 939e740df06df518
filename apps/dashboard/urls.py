from django.urls import path

from apps.dashboard import (
    compare_page,
    data_sheet,
    limits_page,
    people,
    plan_review,
    setup_page,
    views,
)

urlpatterns = [
    path("", views.home, name="home"),
    path("setup/", setup_page.setup, name="setup"),
    path("setup/pilots/<slug:slug>/limits/", limits_page.limits, name="limits"),
    path("setup/pilots/<slug:slug>/plan/review/", plan_review.plan_review, name="plan_review"),
    path("setup/pilots/<slug:slug>/plan/start/", plan_review.start_draft, name="start_pilot"),
    path("pilots/<slug:slug>/data-sheet/", data_sheet.data_sheet, name="data_sheet"),
    path("pilots/<slug:slug>/", views.overview, name="overview"),
    path("pilots/<slug:slug>/charts/", views.overview_charts, name="overview_charts"),
    path("pilots/<slug:slug>/leaderboard.csv", views.leaderboard_csv, name="leaderboard_csv"),
    path("pilots/<slug:slug>/candidates/", views.candidates, name="candidates"),
    path("pilots/<slug:slug>/candidates/<slug:candidate_slug>/", views.candidate, name="candidate"),
    path("pilots/<slug:slug>/compare/", compare_page.compare, name="compare"),
    path("pilots/<slug:slug>/people/", people.people, name="people"),
]
