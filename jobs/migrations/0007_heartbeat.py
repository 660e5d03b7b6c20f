from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0006_open_cancellations"),
    ]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                (
                    "last_at",
                    models.DateTimeField(help_text="When the last successful run ended."),
                ),
                ("last_seconds", models.FloatField(help_text="How long it took.")),
                ("runs", models.BigIntegerField(help_text="Successful runs so far.")),
                (
                    "seconds_total",
                    models.FloatField(help_text="How long all of them took together."),
                ),
                (
                    "facts",
                    models.JSONField(default=dict, help_text="What the last run had to say."),
                ),
            ],
        ),
    ]
