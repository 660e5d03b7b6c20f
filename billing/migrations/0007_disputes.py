import django.db.models.deletion
import django_fsm
from django.conf import settings
from django.db import migrations, models

import escrow_site.lib.states

NEVER_CHANGING = ("disputestatement", "evidence")
REFUSE_CHANGES = "".join(
    f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE OR DELETE ON public.billing_{table} "
    "FOR EACH ROW EXECUTE FUNCTION public.refuse_change();\n"
    for table in NEVER_CHANGING
)
ALLOW_CHANGES = "".join(
    f"DROP TRIGGER {table}_never_changes ON public.billing_{table};\n" for table in NEVER_CHANGING
)


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0006_credit_notes"),
        ("jobs", "0005_dispute_ended"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="escrow",
            name="answer_due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="escrow",
            name="disputed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="escrow",
            name="disputed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("reason", models.TextField(max_length=5000)),
                (
                    "asks",
                    models.CharField(
                        choices=[
                            ("release", "Release to the Freelancer"),
                            ("refund", "Refund to the Client"),
                        ],
                        max_length=10,
                    ),
                ),
                ("asked_minor", models.BigIntegerField(verbose_name="asked for")),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("open", "Open"),
                            ("mediation", "With support"),
                            ("decided", "Decision being checked"),
                            ("settled", "Settled"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=20,
                        protected=True,
                    ),
                ),
                ("answer_due_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("escalated_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_reason", models.TextField(blank=True)),
                (
                    "escalated_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "escrow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="billing.escrow",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="jobs.job",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="billing.releaserequest",
                    ),
                ),
            ],
            bases=(escrow_site.lib.states.StateMixin, models.Model),
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("decided_at", models.DateTimeField()),
                ("held_minor", models.BigIntegerField()),
                ("to_freelancer_minor", models.BigIntegerField()),
                ("reasons", models.TextField(max_length=5000)),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("proposed", "To be confirmed"),
                            ("confirmed", "Confirmed"),
                            ("sent_back", "Sent back"),
                            ("overtaken", "Overtaken"),
                        ],
                        default="proposed",
                        max_length=20,
                        protected=True,
                    ),
                ),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.TextField(blank=True, max_length=5000)),
                (
                    "checked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="billing.dispute",
                    ),
                ),
            ],
            options={
                "permissions": (
                    ("decide_dispute", "Can ask and decide in Disputes"),
                    ("confirm_decision", "Can confirm another agent’s decision, or send it back"),
                ),
            },
            bases=(escrow_site.lib.states.StateMixin, models.Model),
        ),
        migrations.CreateModel(
            name="DisputeStatement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("text", models.TextField(max_length=5000)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="billing.dispute",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("added_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evidence",
                        to="billing.dispute",
                    ),
                ),
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evidence",
                        to="jobs.storedfile",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "evidence",
            },
        ),
        migrations.CreateModel(
            name="Offer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("held_minor", models.BigIntegerField()),
                ("to_freelancer_minor", models.BigIntegerField()),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("open", "Open"),
                            ("replaced", "Replaced"),
                            ("accepted", "Accepted"),
                            ("lapsed", "Lapsed"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=20,
                        protected=True,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="billing.dispute",
                    ),
                ),
            ],
            bases=(escrow_site.lib.states.StateMixin, models.Model),
        ),
        migrations.CreateModel(
            name="SealedLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("limit_minor", models.BigIntegerField(blank=True, null=True)),
                ("entered_at", models.DateTimeField()),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("waiting", "Waiting for the other side"),
                            ("matched", "Matched"),
                            ("spent", "No match"),
                            ("lapsed", "Lapsed"),
                            ("taken_back", "Taken back"),
                        ],
                        default="waiting",
                        max_length=20,
                        protected=True,
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sealed_limits",
                        to="billing.dispute",
                    ),
                ),
            ],
            bases=(escrow_site.lib.states.StateMixin, models.Model),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["job", "-id"], name="dispute_of_job"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["open", "mediation", "decided", "settled", "withdrawn"])
                ),
                name="dispute_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["open", "mediation", "decided"])),
                fields=("escrow",),
                name="dispute_one_per_escrow",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ended_at__isnull", True), ("state__in", ["open", "mediation", "decided"])
                    ),
                    models.Q(("ended_at__isnull", False), ("state__in", ["settled", "withdrawn"])),
                    _connector="OR",
                ),
                name="dispute_ended_at_when_ended",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("asks__in", ["release", "refund"])), name="dispute_asks_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("asked_minor__gt", 0)), name="dispute_asks_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["proposed", "confirmed", "sent_back", "overtaken"])
                ),
                name="decision_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "proposed")),
                fields=("dispute",),
                name="decision_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("held_minor__gt", 0),
                    ("to_freelancer_minor__gte", 0),
                    ("to_freelancer_minor__lte", models.F("held_minor")),
                ),
                name="decision_splits_what_is_held",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("decided_by")), _negated=True),
                    _connector="OR",
                ),
                name="decision_checked_by_a_second_agent",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["confirmed", "sent_back"]), _negated=True),
                    models.Q(("checked_at__isnull", False), ("checked_by__isnull", False)),
                    _connector="OR",
                ),
                name="decision_checked_when_it_counts",
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["open", "replaced", "accepted", "lapsed", "withdrawn"])
                ),
                name="offer_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")),
                fields=("dispute", "by"),
                name="offer_one_per_side",
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("held_minor__gt", 0),
                    ("to_freelancer_minor__gte", 0),
                    ("to_freelancer_minor__lte", models.F("held_minor")),
                ),
                name="offer_splits_what_is_held",
            ),
        ),
        migrations.AddConstraint(
            model_name="sealedlimit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "waiting")),
                fields=("dispute", "by"),
                name="sealed_limit_one_per_side",
            ),
        ),
        migrations.AddConstraint(
            model_name="sealedlimit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("limit_minor__gte", 0),
                        ("limit_minor__isnull", False),
                        ("state", "waiting"),
                    ),
                    models.Q(
                        ("limit_minor__isnull", True),
                        ("state__in", ["matched", "spent", "lapsed", "taken_back"]),
                    ),
                    _connector="OR",
                ),
                name="sealed_limit_erased_when_not_waiting",
            ),
        ),
        migrations.RunSQL(REFUSE_CHANGES, ALLOW_CHANGES),
    ]
