"""The groups of the support agents; idempotent, called by migrate and by tests."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

AGENTS = "Agent"
SENIOR_AGENTS = "Senior agent"
AUDITORS = "Auditor"
# What a support agent reads: the product's own tables, and which addresses are confirmed.
APPS = ("jobs", "billing", "workroom", "account")
# What an auditor does besides reading everything: looking at a Job's pages as a party does.
LOOKS = ("see_as_party",)
# What a support agent does besides: nothing of it moves money.
ACTIONS = (
    *LOOKS,
    "send_notification_again",
    "take_up_job_again",
    "decide_dispute",
    "record_chargeback",
    "propose_intervention",
    "lock_account",
)
# What moves money or a clock, and needs another agent's word before it.
SENIOR_ACTIONS = (*ACTIONS, "confirm_decision", "confirm_chargeback", "confirm_intervention")


def ensure_reference_data() -> None:
    """Let agents view everything at the support desk, and do there what moves no money; let senior
    agents also confirm what another one decided or proposed (R9.3, R9.7); let auditors only look.

    What an installation has given the groups besides stays.
    """
    _let(AGENTS, ACTIONS)
    _let(SENIOR_AGENTS, SENIOR_ACTIONS)
    _let(AUDITORS, LOOKS)


def _let(name: str, actions: tuple[str, ...]) -> None:
    missing = Permission.objects.filter(
        Q(codename__startswith="view_") | Q(codename__in=actions), content_type__app_label__in=APPS
    ).exclude(group__name=name)
    keys = list(missing.values_list("pk", flat=True))
    if keys:
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*keys)
