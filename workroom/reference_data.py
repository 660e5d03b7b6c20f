"""The group of the support agents; idempotent, called by migrate and by tests."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

AGENTS = "Agent"
# What a support agent reads: the product's own tables, and which addresses are confirmed.
APPS = ("jobs", "billing", "workroom", "account")
# What a support agent does besides.
ACTIONS = ("send_notification_again", "take_up_job_again")


def ensure_reference_data() -> None:
    """Let the Agent group view everything at the support desk, and do there what changes no money.

    What an installation has given the group besides stays.
    """
    missing = Permission.objects.filter(
        Q(codename__startswith="view_") | Q(codename__in=ACTIONS), content_type__app_label__in=APPS
    ).exclude(group__name=AGENTS)
    keys = list(missing.values_list("pk", flat=True))
    if keys:
        group, _ = Group.objects.get_or_create(name=AGENTS)
        group.permissions.add(*keys)
