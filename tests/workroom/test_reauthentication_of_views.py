"""No view forgets to ask who is sitting there: read from the source, so a new one cannot either."""

import ast
import inspect
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

# The services that let money leave, say yes to it beforehand, or give an account away; as views call them.
MONEY = {
    "releases.release", "releases.release_part", "refunding.refund_held", "refunding.refund_released",
    "offers.make", "offers.accept", "sealed.enter", "cancellations.request", "cancellations.accept",
    "service.propose", "service.accept", "payouts.pay_out", "mediation.confirm", "interventions.confirm",
    "chargebacks.confirm", "account_closing.close", "account_export.make",
}  # fmt: skip
ASKED = {
    "billing.views.releases.release", "billing.views.releases.release_part",
    "billing.views.refunding.refund", "billing.views.refunding.refund_released",
    "billing.views.dispute_offers.dispute_offer", "billing.views.dispute_offers.accept_offer",
    "billing.views.dispute_offers.sealed_offer", "billing.views.cancellations.cancel_job",
    "billing.views.cancellations.accept_cancellation", "billing.views.payouts.pay_out",
    "workroom.views.terms.propose_terms", "workroom.views.terms.accept_terms",
    "workroom.views.account_closing.close_account", "workroom.views.account_closing.export_account",
    "workroom.admin.disputes.confirm_view", "workroom.admin.interventions.confirm_view",
    "billing.admin.chargebacks.confirm_view",
}  # fmt: skip


def test_no_view_lets_money_leave_unasked() -> None:
    """Read from the source: a new view that calls one of these services must ask, and stand in ASKED."""
    found = {view for module in _modules() for view in _paying_views(module)}
    assert {name for name, _ in found} == ASKED
    assert {name for name, asks in found if not asks} == set()


def _modules() -> set[Any]:
    """Every module of ours that has a view, of the site or of the desk."""
    callbacks = [pattern.callback for pattern in _patterns(get_resolver())]
    modules = {inspect.getmodule(inspect.unwrap(callback)) for callback in callbacks}
    return {
        module
        for module in modules
        if module and module.__name__.split(".")[0] in {"jobs", "billing", "workroom"}
    }


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry)
        else:
            yield entry


def _paying_views(module: Any) -> Iterator[tuple[str, bool]]:
    """Functions of a module that are views and come to a service of MONEY, and whether they ask."""
    source = inspect.getsource(module)
    tree = ast.parse(source)
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    views = {name for name in functions if _is_view(name, functions[name])}
    for name in sorted(views):
        if _pays(name, functions, seen=set()):
            wrapped = f"reauthentication_required(self.{name})" in source
            yield f"{module.__name__}.{name}", wrapped or _asks(name, functions)


def _is_view(name: str, node: ast.FunctionDef) -> bool:
    """Decorated functions that take a request, and the desk's methods."""
    takes = [argument.arg for argument in node.args.args[:2]]
    return (
        "request" in takes
        and (name.endswith("_view") or takes[0] == "request")
        and not (name.startswith("_"))
    )


def _pays(name: str, functions: dict[str, ast.FunctionDef], *, seen: set[str]) -> bool:
    if name in seen or name not in functions:
        return False
    seen.add(name)
    calls = [node.func for node in ast.walk(functions[name]) if isinstance(node, ast.Call)]
    called = {ast.unparse(call) for call in calls}
    if called & MONEY:
        return True
    inner = {call.removeprefix("self.") for call in called} - {name}
    return any(_pays(one, functions, seen=seen) for one in inner)


def _asks(name: str, functions: dict[str, ast.FunctionDef]) -> bool:
    """By a decorator, or in its body before it pays; or what it pays through does."""
    function = functions[name]
    marks = [ast.unparse(mark) for mark in function.decorator_list]
    if any("reauthentication_required" in mark for mark in marks):
        return True
    if "reauthentication.ask(" in ast.unparse(function):
        return True
    called = {
        ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)
    } & functions.keys() - {name}
    paying = [one for one in called if _pays(one, functions, seen=set())]
    return bool(paying) and all(_asks(one, functions) for one in paying)
