from django.urls import URLPattern, path

from apps.feedback import asked_views, today_views

urlpatterns: list[URLPattern] = [
    path("pilots/<slug:slug>/today/", today_views.today, name="today"),
    path("pilots/<slug:slug>/today/answer/", today_views.answer_day, name="answer_day"),
    path("pilots/<slug:slug>/today/week/", today_views.answer_week, name="answer_week"),
    path("pilots/<slug:slug>/asking/", today_views.ask_preferences, name="ask_preferences"),
    path("pilots/<slug:slug>/asking/try/", today_views.try_webhook, name="try_webhook"),
    path(
        "setup/pilots/<slug:slug>/questions/", today_views.setup_questions, name="setup_questions"
    ),
    path("asked/<str:token>/", asked_views.asked, name="asked"),
    path("asked/<str:token>/stop/", asked_views.stop_asking, name="stop_asking"),
]
