from django.urls import URLPattern, path

from apps.feedback import views
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
]
