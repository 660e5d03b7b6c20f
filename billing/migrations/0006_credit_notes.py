import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_refunds_know_who_and_fee")]

    operations = [
        migrations.AddField(
            model_name="refund",
            name="of_released",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="of released money"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=Q(("of_released", False))
                | Q(("escrow__isnull", False), ("fee_minor", 0)),
                name="refund_of_released_money_knows_its_escrow",
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="refund",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credit_notes",
                to="billing.refund",
            ),
        ),
        migrations.RemoveConstraint(model_name="document", name="document_has_its_cause"),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=Q(("kind__in", ["final_invoice", "receipt"]), ("release__isnull", False))
                | Q(
                    ("corrects__isnull", False),
                    ("kind", "credit_note"),
                    ("refund__isnull", False),
                ),
                name="document_has_its_cause",
            ),
        ),
    ]
