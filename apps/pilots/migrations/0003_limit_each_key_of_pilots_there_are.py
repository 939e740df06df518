from typing import Any

from django.db import migrations
from django.db.models import F


def limit_each_key(apps: Any, schema_editor: Any) -> None:
    """Give each pilot what new ones begin with, and have the routes published anew."""
    Limit = apps.get_model("pilots", "Limit")
    Limit.objects.bulk_create(
        Limit(
            pilot=pilot,
            scope="key",
            requests_per_minute=6_000,
            tokens_per_minute=10_000_000,
            at_once=10,
            created_at=pilot.created_at,
            changed_at=pilot.created_at,
        )
        for pilot in apps.get_model("pilots", "Pilot").objects.order_by("id")
    )
    apps.get_model("changes", "RoutesVersion").objects.update(version=F("version") + 1)


class Migration(migrations.Migration):
    dependencies = [
        ("pilots", "0002_limits"),
        ("changes", "0001_initial"),
    ]

    operations = [migrations.RunPython(limit_each_key, migrations.RunPython.noop)]
