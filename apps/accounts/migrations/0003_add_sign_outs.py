from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_add_totp_exempt")]

    operations = [
        migrations.AddField(
            model_name="user", name="sign_outs", field=models.PositiveIntegerField(default=0)
        ),
    ]
