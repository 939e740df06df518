from datetime import datetime

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    name = "apps.feedback"

    def ready(self) -> None:
        from apps.accounts.departures import on_departure, on_erasure
        from apps.accounts.models import Person
        from apps.catalog.actions import on_rotation
        from apps.feedback.actions import erase_words
        from apps.feedback.comparison_votes import erase_prompts, reseal_prompts
        from apps.feedback.daily import erase_reasons
        from apps.feedback.preferences import forget_webhooks, reseal_webhooks
        from apps.feedback.pulse import erase_pulse_words

        def erase(person: Person, now: datetime) -> None:
            erase_words(person=person)
            erase_reasons(person=person)
            erase_pulse_words(person=person)
            erase_prompts(person=person)

        on_erasure(erase)
        on_departure(forget_webhooks)
        on_rotation(reseal_webhooks)
        on_rotation(reseal_prompts)
