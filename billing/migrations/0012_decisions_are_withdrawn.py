"""Who decided a Dispute may take the decision back before anybody has checked it."""

import django_fsm
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0011_chargebacks_are_checked_by_a_second_agent")]

    operations = [
        migrations.AlterField(
            model_name="decision",
            name="state",
            field=django_fsm.FSMField(
                choices=[
                    ("proposed", "To be confirmed"),
                    ("confirmed", "Confirmed"),
                    ("sent_back", "Sent back"),
                    ("overtaken", "Overtaken"),
                    ("withdrawn", "Withdrawn"),
                ],
                default="proposed",
                max_length=20,
                protected=True,
            ),
        ),
        migrations.RemoveConstraint(model_name="decision", name="decision_state_known"),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["proposed", "confirmed", "sent_back", "overtaken", "withdrawn"],
                    )
                ),
                name="decision_state_known",
            ),
        ),
    ]
