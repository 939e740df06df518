from django.apps import AppConfig
from django.utils import timezone


class PilotsConfig(AppConfig):
    name = "apps.pilots"

    def ready(self) -> None:
        from apps.accounts.departures import on_departure, on_erasure
        from apps.changes.actions import on_routes_changed
        from apps.pilots.leavers import forget_key_names_of, revoke_keys_of
        from apps.pilots.routing import publish_if_stale

        def publish_changes() -> None:
            publish_if_stale(timezone.now())

        # Every change in one transaction calls this after its commit: the first publishes them
        # all, the others find nothing left to do.
        on_routes_changed(publish_changes)
        on_departure(revoke_keys_of)
        on_erasure(forget_key_names_of)
