"""The groups of the support agents; idempotent, called by migrate and by tests."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

AGENTS = "Agent"
SENIOR_AGENTS = "Senior agent"
# What a support agent reads: the product's own tables, and which addresses are confirmed.
APPS = ("jobs", "billing", "workroom", "account")
# What a support agent does besides: nothing of it moves money.
ACTIONS = ("send_notification_again", "take_up_job_again", "decide_dispute")
# What moves money, and needs another agent's decision before it.
SENIOR_ACTIONS = ("confirm_decision",)


def ensure_reference_data() -> None:
    """Let agents view everything at the support desk, and do there what moves no money; let senior
    agents also confirm what another one decided (R9.3).

    What an installation has given the groups besides stays.
    """
    _let(AGENTS, ACTIONS)
    _let(SENIOR_AGENTS, (*ACTIONS, *SENIOR_ACTIONS))


def _let(name: str, actions: tuple[str, ...]) -> None:
    missing = Permission.objects.filter(
        Q(codename__startswith="view_") | Q(codename__in=actions), content_type__app_label__in=APPS
    ).exclude(group__name=name)
    keys = list(missing.values_list("pk", flat=True))
    if keys:
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*keys)
