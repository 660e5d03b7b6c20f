"""Agent, Senior agent, Auditor: each action of the desk against each group, one by one; made by migrate."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission

from billing.services import interventions, mediation, sweeping
from jobs.models import Job, Person
from jobs.services import accounts, resending
from tests.billing.intervening import agent_in
from workroom import seeing
from workroom.reference_data import APPS, ensure_reference_data

pytestmark = pytest.mark.django_db

GROUPS = ("Agent", "Senior agent", "Auditor")
# The permission of each action -> the groups that have it.
ACTIONS: dict[str, set[str]] = {
    seeing.PERMISSION: {"Agent", "Senior agent", "Auditor"},
    resending.PERMISSION: {"Agent", "Senior agent"},
    sweeping.PERMISSION: {"Agent", "Senior agent"},
    accounts.PERMISSION: {"Agent", "Senior agent"},
    mediation.PERMISSION: {"Agent", "Senior agent"},
    interventions.PERMISSION: {"Agent", "Senior agent"},
    "billing.record_chargeback": {"Agent", "Senior agent"},
    mediation.CHECK_PERMISSION: {"Senior agent"},
    interventions.CHECK_PERMISSION: {"Senior agent"},
    "billing.confirm_chargeback": {"Senior agent"},
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("permission", ACTIONS)
def test_each_action_against_each_group(permission: str, group: str) -> None:
    assert agent_in(group, "Somebody").has_perm(permission) is (group in ACTIONS[permission])


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_reads_everything_and_edits_nothing(group: str) -> None:
    held = set(Group.objects.get(name=group).permissions.values_list("codename", flat=True))
    ours = Permission.objects.filter(content_type__app_label__in=APPS)
    views = set(ours.filter(codename__startswith="view_").values_list("codename", flat=True))
    acts = {name.partition(".")[2] for name, groups in ACTIONS.items() if group in groups}
    assert held == views | acts


def test_no_action_of_the_product_is_left_out() -> None:
    """A permission that a model declares is in the table above, so a new one is decided about."""
    known = {name.partition(".")[2] for name in ACTIONS}
    ours = Permission.objects.filter(content_type__app_label__in=APPS)
    plain = ("view_", "add_", "change_", "delete_")
    declared = {one for one in ours.values_list("codename", flat=True) if not one.startswith(plain)}
    assert declared == known


def test_migrate_makes_them_again_and_takes_nothing_away() -> None:
    Group.objects.filter(name="Auditor").delete()
    agents = Group.objects.get(name="Agent")
    extra = Permission.objects.get(codename="change_person")
    agents.permissions.add(extra)
    ensure_reference_data()
    assert Group.objects.get(name="Auditor").permissions.filter(codename="view_job").exists()
    assert extra in agents.permissions.all()


def test_an_auditor_is_offered_no_action(client_person: Person, freelancer: Person) -> None:
    otto = agent_in("Auditor", "Otto")
    job = Job(client=client_person, freelancer=freelancer, state="active")
    guards: list[Callable[[], object]] = [
        lambda: accounts.may_lock(client_person, by=otto),
        lambda: sweeping.may_take_up_again(job, by=otto),
        lambda: interventions.may_propose(job, by=otto, at=client_person.joined_at),
    ]
    assert all(guard() is not None for guard in guards)
