"""What people were told, held against what is in the database; and what they had to wait for.

An error is: an answer of 500 or above, other than a kind 503 while the database is away; no answer at all; an act that
was confirmed and is not there; one that is there twice, confirmed or not; a difference in the ledger; money that does
not add up between the bank, the accounts and the fees.
"""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.db.models import Sum
from prometheus_client.parser import text_string_to_metric_families

from billing.models import (
    Account,
    Allocation,
    Dispute,
    Offer,
    Payment,
    Release,
    ReleaseRequest,
    SimulatedCharge,
    Transfer,
)
from billing.services import audit
from escrow_site.lib import timing
from workroom.models import StatusReport

# Until the last page that waited for a connection has given up, and every process has one again.
AFTERWARDS_SECONDS = 8
BEFORE_SECONDS = 1

Act = dict[str, Any]


def read(file: Path) -> list[dict[str, Any]]:
    """The lines of a file; the last one may have been cut off by the end."""
    found = []
    for line in file.read_text().splitlines() if file.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


# --- Answers ---


def failed_answers(
    requests: Iterable[dict[str, Any]], away: tuple[float, float] | None
) -> list[str]:
    """Answers that nobody should have got."""
    return [
        f"{one['name']}: {one['status'] or 'no answer'}"
        for one in requests
        if (one["status"] == 0 or one["status"] >= 500) and not was_away(one, away)
    ]


def was_away(one: dict[str, Any], away: tuple[float, float] | None) -> bool:
    """Whether it was a kind "try again" while the database was away."""
    if away is None or one["status"] != 503 or not one["kind"]:
        return False
    ended_at = one["at"] + one["seconds"]
    return one["at"] <= away[1] + AFTERWARDS_SECONDS and ended_at >= away[0] - BEFORE_SECONDS


def table(requests: list[dict[str, Any]], seconds: float) -> str:
    """Requests a second, and how long the pages took."""
    by_name = defaultdict(list)
    for one in requests:
        by_name[one["name"]].append(one["seconds"] * 1000)
    lines = [f"{'':46}{'number':>8}{'p50 ms':>9}{'p95 ms':>9}{'most':>9}"]
    for name, times in sorted(by_name.items(), key=lambda item: -len(item[1])):
        lines.append(line_of(name, times))
    lines.append(line_of("all", [time for times in by_name.values() for time in times]))
    statuses = Counter(one["status"] for one in requests)
    said = ", ".join(f"{status or 'none'}: {count}" for status, count in sorted(statuses.items()))
    lines.append(f"{len(requests) / seconds:.1f} requests a second; answers {said}")
    return "\n".join(lines)


def line_of(name: str, times: list[float]) -> str:
    p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    median = statistics.median(times)
    return f"{name:46}{len(times):>8}{median:>9.0f}{p95:>9.0f}{max(times):>9.0f}"


# --- Acts ---


def times_done(act: Act) -> int:
    """How often an act is in the database."""
    return FINDERS[act["what"]](act)


def _offers(act: Act) -> int:
    made = Offer.objects.filter(dispute_id=act["dispute"], by_id=act["by"])
    return made.filter(to_freelancer_minor=act["amount_minor"]).count()


def _payments(act: Act) -> int:
    """A Milestone of this run is funded once in its life."""
    charged = Payment.objects.exclude(state__in=["failed", "cancelled", "lapsed"])
    return charged.filter(job_id=act["job"], allocations__escrow__number=act["number"]).count()


def _releases(act: Act) -> int:
    whole = Release.objects.filter(escrow__job_id=act["job"], escrow__number=act["number"])
    return whole.filter(released_by_id=act["by"]).count()


FINDERS: dict[str, Callable[[Act], int]] = {
    "fund": _payments,
    "release": _releases,
    "report": lambda act: StatusReport.objects.filter(comments=act["words"]).count(),
    "void": lambda act: ReleaseRequest.objects.filter(ended_reason=act["words"]).count(),
    "dispute": lambda act: Dispute.objects.filter(reason=act["words"]).count(),
    "offer": _offers,
    "accept": lambda act: Offer.objects.filter(pk=act["offer"], state="accepted").count(),
}


def lost_and_doubled(acts: Iterable[Act]) -> list[str]:
    """What was confirmed and is not there, and what is there more than once."""
    found = []
    for act in acts:
        number = times_done(act)
        if act["state"] == "done" and number == 0:
            found.append(f"lost: {act}")
        if number > 1:
            found.append(f"{number} times: {act}")
    return found


# --- Money ---


def differences_in_money() -> list[str]:
    """The ledger's own laws, and what the bank says beside what the accounts hold."""
    found = audit.differences(audit.audit_ledger(at=timing.now()))
    charged = _total(SimulatedCharge.objects.filter(kind="charge", status="succeeded"))
    sent_back = _total(SimulatedCharge.objects.filter(kind="refund", status="succeeded"))
    arrived = _total(Transfer.objects.filter(code="fund"))
    held = _total(Account.objects.filter(kind__in=Account.GUARDED), "balance_minor")
    fees = _total(Transfer.objects.filter(code="service_fee"))
    paid_back = _total(Transfer.objects.filter(code="refund_paid"))
    if charged != arrived:
        found.append(f"the bank charged {charged}, {arrived} came into the ledger")
    if sent_back != paid_back:
        found.append(f"the bank sent back {sent_back}, {paid_back} left the ledger")
    if arrived - paid_back != held + fees:
        found.append(f"{arrived} came, {paid_back} left, {held} is held, {fees} are fees")
    allocated = Allocation.objects.filter(payment__state__in=["succeeded", "refunded"])
    if _total(allocated) != arrived:
        found.append(f"payments that succeeded are {_total(allocated)}, not {arrived}")
    return found


def _total(rows: Any, column: str = "amount_minor") -> int:
    return int(rows.aggregate(total=Sum(column))["total"] or 0)


# --- What the site says of itself ---


def requests_counted(metrics: bytes) -> int:
    """How many requests all processes of the web server have counted together."""
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(metrics.decode())
        for sample in family.samples
        if sample.name == "escrow_request_seconds_count"
    )
