import django.db.models.deletion
import django_fsm
from django.conf import settings
from django.db import migrations, models

import escrow_site.lib.states


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0009_interventions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="escrow",
            name="charged_back_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="Chargeback",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("gateway_reference", models.CharField(max_length=120)),
                ("amount_minor", models.BigIntegerField()),
                ("opened_at", models.DateTimeField()),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("open", "Open"),
                            ("recorded", "To be confirmed"),
                            ("won", "Won"),
                            ("lost", "Lost"),
                        ],
                        default="open",
                        max_length=20,
                        protected=True,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("won", "Won: the payment stands"),
                            ("lost", "Lost: the bank keeps the money"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True, max_length=1000)),
                ("recorded_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.TextField(blank=True, max_length=1000)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chargebacks",
                        to="billing.payment",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "permissions": (
                    ("record_chargeback", "Can record how a chargeback ended"),
                    ("confirm_chargeback", "Can confirm how a chargeback ended, or send it back"),
                ),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "recorded", "won", "lost"])),
                        name="chargeback_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="chargeback_above_zero"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", True), ("state__in", ["open", "recorded"])
                            ),
                            models.Q(("ended_at__isnull", False), ("state__in", ["won", "lost"])),
                            _connector="OR",
                        ),
                        name="chargeback_ended_at_when_ended",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["open", "recorded"])),
                        fields=("payment",),
                        name="chargeback_one_open_per_payment",
                    ),
                    models.UniqueConstraint(
                        fields=("payment", "gateway_reference"), name="chargeback_once"
                    ),
                ],
            },
            bases=(escrow_site.lib.states.StateMixin, models.Model),
        ),
    ]
