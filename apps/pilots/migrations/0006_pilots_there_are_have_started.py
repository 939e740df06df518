from django.db import migrations


class Migration(migrations.Migration):
    """Until now every pilot began to answer as soon as it was made."""

    dependencies = [("pilots", "0005_plans_rotations_and_events")]

    operations = [
        migrations.RunSQL(
            "UPDATE pilots_pilot SET started_at = created_at",
            migrations.RunSQL.noop,
        )
    ]
