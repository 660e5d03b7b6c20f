from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0003_money_guards"),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="noticed_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
