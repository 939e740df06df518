from django.urls import URLPattern, path

from apps.feedback import me_views, views
from apps.feedback.api import feedback

urlpatterns: list[URLPattern] = [
    path("v1/feedback", feedback, name="feedback"),
    path("pilots/<slug:slug>/rate/", views.rate, name="rate"),
    path("pilots/<slug:slug>/rate/<uuid:call_id>/", views.rate_call, name="rate_call"),
    path("pilots/<slug:slug>/rate/<uuid:call_id>/give/", views.give_rating, name="give_rating"),
    path(
        "pilots/<slug:slug>/rate/<uuid:call_id>/withdraw/",
        views.withdraw_rating,
        name="withdraw_rating",
    ),
    path("me/", me_views.me, name="me"),
    path("me/download/", me_views.me_download, name="me_download"),
    path("me/withdraw-ratings/", me_views.me_withdraw_ratings, name="me_withdraw_ratings"),
    path("me/erase-words/", me_views.me_erase_words, name="me_erase_words"),
]
