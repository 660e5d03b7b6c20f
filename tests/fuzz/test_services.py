"""Hostile but type-correct input to every service by which somebody does something.

Found by its signature: a public function of ``services`` that is told who (``by``) and when (``at``), the guards
beside it too. Out of it comes a result, a Refusal, or that there is no such row; a refusal has changed nothing.

That it can fail was tried out: with ``offers.make`` writing before its guard, and with the check of the largest amount
taken out of ``refuse_share``, it named the service and what it was handed.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from hypothesis import given
from hypothesis import strategies as st

import billing.services
import jobs.services
import workroom.services
from escrow_site.lib.refusals import Refusal
from tests.authorisation.stage import Stage, undone
from tests.authorisation.visits import writes
from tests.fuzz.hostile import profile
from tests.fuzz.values import arguments, handed
from tests.world import world

pytestmark = pytest.mark.django_db

# Steps inside another service: their caller holds the lock and has asked the guards.
INSIDE = {
    "billing.services.acts.carry_out",
    "billing.services.arrivals.enter",
    "billing.services.escrow_changes.carry_out",
    "billing.services.payments.start",
    "billing.services.payments.record_answer",
    "billing.services.release_requests.request_release",
    "billing.services.release_requests.take_back",
    "billing.services.releases.carry_out",
    "billing.services.settling.settle",
    "jobs.services.activity.record",
    "jobs.services.files.store",
    "jobs.services.files.store_all",
    "workroom.services.agreeing.agree_first",
    "workroom.services.agreeing.agree_change",
}


def services() -> Iterator[tuple[str, Callable[..., Any]]]:
    for package in (billing.services, jobs.services, workroom.services):
        for one in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(one.name)
            for name, found in inspect.getmembers(module, inspect.isfunction):
                full_name = f"{one.name}.{name}"
                if found.__module__ == one.name and _acts(found) and full_name not in INSIDE:
                    yield full_name, found


def _acts(found: Callable[..., Any]) -> bool:
    told = inspect.signature(found).parameters
    return {"by", "at"} <= set(told) and not found.__name__.startswith("_")


SERVICES = dict(services())


def test_hostile_input_to_services(stage: Stage) -> None:
    before = world()
    found: dict[str, str] = {}
    made = {name: arguments(service, stage) for name, service in SERVICES.items()}

    @profile(400)
    @given(data=st.data())
    def call(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(made)))
        given_values = data.draw(made[name])
        with undone():
            values = {key: handed(value) for key, value in given_values.items()}
            with undone(), writes() as tables:
                refused = False
                try:
                    SERVICES[name](**values)
                except (Refusal, ObjectDoesNotExist):
                    refused = True
                except Exception as error:
                    said = f"{type(error).__name__}: {error}"
                    found.setdefault(f"{name} {said[:60]}", f"{name}({given_values}) raised {said}")
                    return
                may_not_write = refused or _is_guard(name)
                if tables and may_not_write and world() != before:
                    said = f"{name}({given_values}) was refused and wrote {tables}"
                    found.setdefault(name, said)

    call()
    assert list(found.values()) == [], "\n".join(found.values())
    assert world() == before


def _is_guard(name: str) -> bool:
    return name.rsplit(".", 1)[1].startswith(("may_", "refuse_"))
