"""What waits for a human at the support desk: its start page. Each list is one statement, however long it is.

What is here is late, failed or asked for; what the timers do by themselves is not. Heartbeats and what is
about delivery are in real time, everything else in the product's.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.urls import reverse

from billing.models import (
    Chargeback,
    Decision,
    Dispute,
    GatewayEvent,
    Intervention,
    Payment,
    Payout,
    Refund,
)
from billing.services import chargebacks, interventions, mediation
from escrow_site.lib import money
from escrow_site.lib.admin import list_url
from jobs.models import Heartbeat, Job, Notification, Person
from jobs.selectors import heartbeats
from workroom.selectors.desk_sections import (
    Section,
    Waiting,
    in_words,
    not_of,
    section_of,
    sections_of_two,
)

# The reconcile task asks the provider every minute: what hangs longer does not move by itself.
STUCK_AFTER = timedelta(minutes=15)
PENDING_TOO_LONG = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """Whether a recurring job is alive: when it last ran, and what it found wrong, in words as far as kept."""

    title: str
    last_at: datetime | None
    is_late: bool
    differences_found: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not self.is_late and not self.differences_found


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The start page; ``coming`` is what may come to support, and needs nobody yet."""

    waiting: list[Section]
    coming: list[Section]
    pulses: list[Pulse]

    @property
    def is_calm(self) -> bool:
        return not self.waiting and all(pulse.is_well for pulse in self.pulses)


def desk_of(reader: Person, *, at: datetime, real_at: datetime) -> Desk:
    """What waits for this reader's side of the desk, without what is kept from him as a party."""
    waiting = [
        *_to_confirm(reader),
        *_chargebacks(reader),
        _disputes(reader),
        _set_aside(reader),
        _stuck_payments(reader, at=at),
        _pending_payments(reader, at=at),
        _stuck_refunds(reader, at=at),
        _stuck_payouts(reader, at=at),
        _stuck_events(reader, real_at=real_at),
        _failed_notices(reader),
    ]
    return Desk(
        waiting=[section for section in waiting if section],
        coming=[section for section in [_unanswered(reader)] if section],
        pulses=_pulses(real_at=real_at),
    )


# --- To be confirmed ---


def _to_confirm(reader: Person) -> list[Section | None]:
    """What other agents decided or proposed; what this reader may not confirm himself stands apart."""
    return [
        *sections_of_two(
            reader,
            Intervention.objects.proposed().select_related("job", "escrow", "proposed_by"),
            by="proposed_by",
            may=reader.has_perm(interventions.CHECK_PERMISSION),
            job_path="job",
            order=("proposed_at", "pk"),
            row=_of_intervention,
            title="Interventions",
            url=list_url("billing_intervention", state__exact="proposed"),
        ),
        *sections_of_two(
            reader,
            Decision.objects.filter(state=Decision.State.PROPOSED).select_related(
                "dispute__job", "dispute__escrow", "decided_by"
            ),
            by="decided_by",
            may=reader.has_perm(mediation.CHECK_PERMISSION),
            job_path="dispute__job",
            order=("decided_at", "pk"),
            row=_of_decision,
            title="Decisions",
            url=list_url("billing_dispute", state__exact="decided"),
        ),
    ]


def _of_intervention(one: Intervention) -> Waiting:
    amount = "" if one.amount_minor is None else money.display(one.amount_minor, one.job.currency)
    about = ", ".join(
        part for part in (str(one.escrow or ""), amount, f"by {one.proposed_by}") if part
    )
    return Waiting(
        label=f"{one.get_kind_display()}: {in_words(one.job)}",
        url=reverse("admin:billing_intervention_check", args=[one.pk]),
        detail=about,
        at=one.proposed_at,
    )


def _of_decision(one: Decision) -> Waiting:
    job = one.dispute.job
    share = money.display(one.to_freelancer_minor, job.currency)
    return Waiting(
        label=f"Dispute {one.dispute_id}: {in_words(job)}",
        url=reverse("admin:billing_dispute_case", args=[one.dispute_id]),
        detail=f"{one.dispute.escrow}, {share} to the Freelancer, by {one.decided_by}",
        at=one.decided_at,
    )


# --- Chargebacks ---


def _chargebacks(reader: Person) -> list[Section | None]:
    """Those whose end is to be recorded, and recorded ones that another agent is to confirm."""
    known = Chargeback.objects.select_related("payment__job", "recorded_by")
    return [
        section_of(
            reader,
            known.filter(not_of(reader, "payment__job"), state=Chargeback.State.OPEN),
            order=("opened_at", "pk"),
            row=lambda one: _of_chargeback(one, at=one.opened_at),
            title="Payments that were charged back",
            url=list_url("billing_chargeback", state__exact="open"),
        ),
        *sections_of_two(
            reader,
            known.filter(state=Chargeback.State.RECORDED),
            by="recorded_by",
            may=reader.has_perm(chargebacks.CONFIRM_PERMISSION),
            job_path="payment__job",
            order=("recorded_at", "pk"),
            row=lambda one: _of_chargeback(one, at=one.recorded_at),
            title="Ends of chargebacks",
            url=list_url("billing_chargeback", state__exact="recorded"),
        ),
    ]


def _of_chargeback(one: Chargeback, *, at: datetime | None) -> Waiting:
    return Waiting(
        label=f"{one}: {in_words(one.payment.job)}",
        url=reverse("admin:billing_chargeback_end", args=[one.pk]),
        detail=money.display(one.amount_minor, one.payment.currency),
        at=at,
    )


# --- Disputes ---


def _disputes(reader: Person) -> Section | None:
    rows = Dispute.objects.filter(not_of(reader), state=Dispute.State.MEDIATION)
    return section_of(
        reader,
        rows.select_related("job", "escrow"),
        order=("escalated_at", "pk"),
        row=lambda one: _of_dispute(one, at=one.escalated_at),
        title="Disputes to be decided",
        url=list_url("billing_dispute", state__exact="mediation"),
    )


def _unanswered(reader: Person) -> Section | None:
    rows = Dispute.objects.filter(not_of(reader), state=Dispute.State.OPEN, answered_at=None)
    return section_of(
        reader,
        rows.select_related("job", "escrow"),
        order=("answer_due_at", "pk"),
        row=lambda one: _of_dispute(one, at=one.answer_due_at),
        title="Disputes that come to support unless they are answered",
        url=list_url("billing_dispute", state__exact="open", has_answered_at="no"),
        when="by",
        is_urgent=False,
    )


def _of_dispute(one: Dispute, *, at: datetime | None) -> Waiting:
    held = money.display(one.escrow.held_minor, one.job.currency)
    return Waiting(
        label=f"Dispute {one.pk}: {in_words(one.job)}",
        url=reverse("admin:billing_dispute_case", args=[one.pk]),
        detail=f"{one.escrow}, {held} held",
        at=at,
    )


# --- What hangs or failed ---


def _set_aside(reader: Person) -> Section | None:
    return section_of(
        reader,
        Job.objects.filter(set_aside_at__isnull=False),
        order=("set_aside_at", "pk"),
        row=lambda job: Waiting(
            label=in_words(job),
            url=reverse("admin:jobs_job_change", args=[job.pk]),
            detail=job.set_aside_reason[:120],
            at=job.set_aside_at,
        ),
        title="Jobs set aside: their clocks stand still",
        url=list_url("jobs_job", has_set_aside_at="yes"),
    )


def _stuck_payments(reader: Person, *, at: datetime) -> Section | None:
    late = Payment.objects.filter(state=Payment.State.STARTED, started_at__lt=at - STUCK_AFTER)
    return section_of(
        reader,
        late.select_related("job"),
        order=("started_at", "pk"),
        row=_of_payment,
        title="Payments that the provider has not answered",
        url=list_url("billing_payment", state__exact="started"),
    )


def _pending_payments(reader: Person, *, at: datetime) -> Section | None:
    waiting = Payment.State.AUTHENTICATING
    late = Payment.objects.filter(state=waiting, started_at__lt=at - PENDING_TOO_LONG)
    return section_of(
        reader,
        late.select_related("job"),
        order=("started_at", "pk"),
        row=_of_payment,
        title="Payments Pending longer than a day",
        url=list_url("billing_payment", state__exact=waiting),
    )


def _of_payment(one: Payment) -> Waiting:
    return Waiting(
        label=f"{one}: {in_words(one.job)}",
        url=reverse("admin:billing_payment_change", args=[one.pk]),
        detail=money.display(one.amount_minor, one.currency),
        at=one.started_at,
    )


def _stuck_refunds(reader: Person, *, at: datetime) -> Section | None:
    late = Refund.objects.under_way().filter(started_at__lt=at - STUCK_AFTER)
    return section_of(
        reader,
        late.select_related("payment__job"),
        order=("started_at", "pk"),
        row=lambda one: Waiting(
            label=f"{one}: {in_words(one.payment.job)}",
            url=reverse("admin:billing_refund_change", args=[one.pk]),
            detail=money.display(one.amount_minor, one.payment.currency),
            at=one.started_at,
        ),
        title="Refunds that the provider has not answered",
        url=list_url("billing_refund", state__exact="started"),
    )


def _stuck_payouts(reader: Person, *, at: datetime) -> Section | None:
    late = Payout.objects.filter(state=Payout.State.STARTED, started_at__lt=at - STUCK_AFTER)
    return section_of(
        reader,
        late.select_related("person"),
        order=("started_at", "pk"),
        row=lambda one: Waiting(
            label=f"{one} to {one.person}",
            url=reverse("admin:billing_payout_change", args=[one.pk]),
            detail=money.display(one.amount_minor, one.currency),
            at=one.started_at,
        ),
        title="Payouts that the provider has not answered",
        url=list_url("billing_payout", state__exact="started"),
    )


def _stuck_events(reader: Person, *, real_at: datetime) -> Section | None:
    late = GatewayEvent.objects.filter(handled_at=None, received_at__lt=real_at - STUCK_AFTER)
    return section_of(
        reader,
        late,
        order=("received_at", "pk"),
        row=lambda one: Waiting(
            label=f"{one.kind}, {one}",
            url=reverse("admin:billing_gatewayevent_change", args=[one.pk]),
            detail=one.failure[:120],
            at=one.received_at,
        ),
        title="Events of the provider that could not be worked off",
        url=list_url("billing_gatewayevent", has_handled_at="no"),
    )


def _failed_notices(reader: Person) -> Section | None:
    failed = Notification.objects.filter(state=Notification.State.FAILED)
    return section_of(
        reader,
        failed.select_related("activity__job", "person"),
        order=("pk",),
        row=lambda one: Waiting(
            label=f"To {one.person or one.address}: {in_words(one.activity.job)}",
            url=reverse("admin:jobs_notification_change", args=[one.pk]),
            detail=one.failure[:120],
            at=one.activity.happened_at,
        ),
        title="Notices that could not be sent",
        url=list_url("jobs_notification", state__exact="failed"),
    )


# --- Heartbeats ---


def _pulses(*, real_at: datetime) -> list[Pulse]:
    beats = heartbeats.by_name()
    sweep, audit = beats.get(heartbeats.SWEEP), beats.get(heartbeats.AUDIT)
    return [
        _pulse("Timers", sweep, real_at=real_at),
        _pulse("Audit of the ledger", audit, real_at=real_at),
    ]


def _pulse(title: str, beat: Heartbeat | None, *, real_at: datetime) -> Pulse:
    if beat is None:
        return Pulse(title=title, last_at=None, is_late=True)
    return Pulse(
        title=title,
        last_at=beat.last_at,
        is_late=heartbeats.is_late(beat, at=real_at),
        differences_found=heartbeats.differences_found(beat),
        differences=beat.facts.get("differences") or [],
    )
