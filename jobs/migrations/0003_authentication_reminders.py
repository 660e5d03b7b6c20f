import django.contrib.postgres.fields
from django.db import migrations, models

import jobs.models.policy


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_history_guards"),
    ]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="authentication_reminder_days",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveSmallIntegerField(),
                blank=True,
                default=jobs.models.policy.default_authentication_reminder_days,
                help_text="R12: reminders, in days before a Pending payment lapses.",
                size=None,
            ),
        ),
    ]
