from typing import Any

from django.db import migrations, models
from django.db.models import F


def share_out(apps: Any, schema_editor: Any) -> None:
    """Give existing rows their uncosted calls' part of tokens and answers; a rebuild is exact."""
    for name in ("QuarterUsage", "DayUsage"):
        rows = apps.get_model("metrics", name).objects.filter(uncosted__gt=0, calls__gt=0)
        tokens = F("prompt_tokens") + F("completion_tokens")
        rows.update(
            uncosted_tokens=tokens * F("uncosted") / F("calls"),
            uncosted_rateable=F("rateable") * F("uncosted") / F("calls"),
        )


class Migration(migrations.Migration):
    dependencies = [("metrics", "0001_initial")]

    operations = [
        *(
            migrations.AddField(model, name, field)
            for model in ("dayusage", "quarterusage")
            for name, field in (
                ("uncosted_tokens", models.BigIntegerField(default=0)),
                ("uncosted_rateable", models.IntegerField(default=0)),
            )
        ),
        migrations.RunPython(share_out, migrations.RunPython.noop),
    ]
