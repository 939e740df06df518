from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("feedback", "0003_sending_is_tried_again")]

    operations = [
        migrations.AddIndex(
            model_name="ideevent",
            index=models.Index(
                condition=models.Q(
                    ("call_id__isnull", True), ("kind__in", ["chatFeedback", "toolUsage"])
                ),
                fields=["received_at"],
                name="ideevent_unjoined",
            ),
        ),
    ]
