from django.urls import path

from apps.dashboard import limits_page, people, setup_page, views

urlpatterns = [
    path("", views.home, name="home"),
    path("setup/", setup_page.setup, name="setup"),
    path("setup/pilots/<slug:slug>/limits/", limits_page.limits, name="limits"),
    path("pilots/<slug:slug>/", views.overview, name="overview"),
    path("pilots/<slug:slug>/charts/", views.overview_charts, name="overview_charts"),
    path("pilots/<slug:slug>/leaderboard.csv", views.leaderboard_csv, name="leaderboard_csv"),
    path("pilots/<slug:slug>/candidates/", views.candidates, name="candidates"),
    path("pilots/<slug:slug>/candidates/<slug:candidate_slug>/", views.candidate, name="candidate"),
    path("pilots/<slug:slug>/people/", people.people, name="people"),
]
