"""What support may be asked for: Interventions that nobody has proposed yet, with the rows that they are
about as they are now. Reads only; no guards.
"""

from collections.abc import Sequence
from datetime import datetime

from billing.models import Dispute, Escrow, Intervention, ReleaseRequest
from billing.services import disputes
from escrow_site.lib.refusals import WrongState
from jobs.models import Job, Person

Kind = Intervention.Kind


def wish_about(
    job: Job,
    *,
    kind: str,
    number: int | None = None,
    asked_by: Person | None = None,
    asked_how: str = "",
    amount_minor: int | None = None,
    until: datetime | None = None,
) -> Intervention:
    """What is asked for about the Milestone with this number, not saved.

    Raises WrongState when there is no such kind or Milestone.
    """
    if kind not in Kind.values:
        raise WrongState("Choose what is to be done.")
    about = _rows(job, number) if kind != Kind.REACTIVATE else (None, None, None)
    escrow, request, dispute = about
    return Intervention(
        job=job,
        kind=kind,
        asked_by=asked_by,
        asked_how=asked_how,
        escrow=escrow,
        request=request,
        dispute=dispute,
        amount_minor=amount_minor if kind in Intervention.MONEY else None,
        until=until if kind in Intervention.CLOCKS else None,
    )


def _rows(job: Job, number: int | None) -> tuple[Escrow, ReleaseRequest | None, Dispute | None]:
    known = Escrow.objects.filter(job=job)
    escrow = known.filter(number=number).first() if number is not None else None
    if escrow is None:
        raise WrongState("Choose a Milestone of this Job.")
    escrow.job = job
    unanswered = ReleaseRequest.objects.filter(escrow=escrow).unanswered()
    request = unanswered.select_related("pro_forma").first()
    if request is not None:
        request.job, request.escrow = job, escrow
    dispute = Dispute.objects.open().filter(escrow=escrow).select_related("opened_by").first()
    if dispute is not None:
        dispute.job, dispute.escrow = job, escrow
    return escrow, request, dispute


def wishes_on(job: Job, escrows: Sequence[Escrow], kind: Kind) -> list[Intervention]:
    """One for each Escrow, or one about the Job; an Escrow comes with its requests and Disputes."""
    if kind == Kind.REACTIVATE:
        return [Intervention(job=job, kind=kind)]
    return [
        Intervention(
            job=job,
            kind=kind,
            escrow=escrow,
            request=disputes.unanswered_request(escrow),
            dispute=next((one for one in escrow.disputes.all() if one.is_open), None),
        )
        for escrow in escrows
    ]
