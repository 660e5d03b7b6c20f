from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0003_authentication_reminders"),
    ]

    operations = [
        migrations.AddField(
            model_name="person",
            name="calendar_opened_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="person",
            name="calendar_token",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=64
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                condition=models.Q(("calendar_token", ""), _negated=True),
                fields=("calendar_token",),
                name="person_calendar_token_once",
            ),
        ),
    ]
