from django.db import migrations, models

ADD = "ALTER TABLE usage_call ADD COLUMN assigned_candidate_id bigint"
DROP = "ALTER TABLE usage_call DROP COLUMN assigned_candidate_id"


class Migration(migrations.Migration):
    dependencies = [("usage", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(ADD, DROP)],
            state_operations=[
                migrations.AddField(
                    model_name="call",
                    name="assigned_candidate_id",
                    field=models.BigIntegerField(null=True),
                )
            ],
        )
    ]
