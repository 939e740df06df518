from django.urls import URLPattern, path

from apps.feedback import (
    compare_urls,
    link_views,
    me_views,
    settings_views,
    today_urls,
    views,
    vote_views,
)
from apps.feedback.api import feedback
from apps.feedback.ide_api import ingest_continue

urlpatterns: list[URLPattern] = [
    path("v1/feedback", feedback, name="feedback"),
    path("ingest/continue", ingest_continue, name="ingest_continue"),
    path("pilots/<slug:slug>/rate/", views.rate, name="rate"),
    path("pilots/<slug:slug>/rate/<uuid:call_id>/", views.rate_call, name="rate_call"),
    path("pilots/<slug:slug>/rate/<uuid:call_id>/give/", views.give_rating, name="give_rating"),
    path(
        "pilots/<slug:slug>/rate/<uuid:call_id>/withdraw/",
        views.withdraw_rating,
        name="withdraw_rating",
    ),
    path("pilots/<slug:slug>/votes/", vote_views.my_votes, name="my_votes"),
    path("rate/<str:token>/", link_views.rate_by_link, name="rate_by_link"),
    path("widget/<str:token>/", link_views.widget, name="widget"),
    path("widget.js", link_views.widget_script, name="widget_script"),
    path(
        "setup/pilots/<slug:slug>/ratings/", settings_views.rating_settings, name="rating_settings"
    ),
    *compare_urls.urlpatterns,
    *today_urls.urlpatterns,
    path("me/", me_views.me, name="me"),
    path("me/download/", me_views.me_download, name="me_download"),
    path("me/withdraw/<slug:kind>/", me_views.me_withdraw, name="me_withdraw"),
    path("me/withdraw/<slug:kind>/<str:key>/", me_views.me_withdraw_one, name="me_withdraw_one"),
    path("me/erase-words/", me_views.me_erase_words, name="me_erase_words"),
]
