from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0004_calendar_feeds"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="dispute_ended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
