"""Steps that the tests of chargebacks share."""

from datetime import datetime

from billing import ledger
from billing.gateways.simulated_chargebacks import charge_back
from billing.models import Account, Chargeback, Payment
from billing.services import chargebacks
from jobs.models import Job
from tests.billing.banking import deliver
from tests.billing.dispute_steps import DAY, NOON, agent_named

FROZEN = (
    "The bank wants the payment for “Milestone 1” back (a chargeback): until that is decided, its "
    "money is frozen."
)
BOTH = {"clara@example.com", "frank@example.com"}
LATE = NOON + 400 * DAY


def begin(job: Job, *, at: datetime = NOON + DAY, times: int = 1) -> Chargeback:
    """The Client's bank takes the first payment of the Job back, and says so."""
    payment = Payment.objects.filter(job=job).earliest("pk")
    for _ in range(times):
        deliver(charge_back(payment.gateway_reference), at=at)
    return Chargeback.objects.get(payment=payment)


def end(outcome: str, *, at: datetime = NOON + 5 * DAY) -> Chargeback:
    """Ada records it, and Ben confirms."""
    ada, ben = agent_named("Ada"), agent_named("Ben")
    row = Chargeback.objects.get()
    chargebacks.record(row.pk, outcome=outcome, reason="Letter of 5 March.", by=ada, at=at)
    return chargebacks.confirm(row.pk, seen_outcome=outcome, by=ben, at=at)


def platform(kind: str) -> int:
    """The balance of one of the platform’s own accounts."""
    return ledger.summed_balance(Account.objects.get(kind=kind, currency="USD"))
