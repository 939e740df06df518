from datetime import datetime

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    name = "apps.feedback"

    def ready(self) -> None:
        from apps.accounts.departures import on_erasure
        from apps.accounts.models import Person
        from apps.feedback.actions import erase_words
        from apps.feedback.comparison_votes import erase_prompts

        def erase(person: Person, now: datetime) -> None:
            erase_words(person=person)
            erase_prompts(person=person)

        on_erasure(erase)
