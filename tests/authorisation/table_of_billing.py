"""Who may what with the money: the addresses of ``billing`` (read tests/authorisation/table.py first)."""

from tests.authorisation.words import (
    ACTS,
    BAD,
    CLIENT,
    HIDDEN,
    LED_ON,
    NO_WAY,
    PAGE,
    REFUSED,
    Row,
    asked,
    done,
    everyone,
    owner,
    parties,
    read,
    signed_in,
)

PDF = {"evidence": "<a file>"}

RELEASING = [
    Row("billing:release_request", "request", read()),
    Row(
        "billing:void_request", "request",
        asked(freelancer=PAGE, client=LED_ON), done(freelancer=ACTS, client=REFUSED),
        form={"reason": "Not ready"},
    ),
    Row(
        "billing:request_changes", "request",
        asked(client=PAGE, freelancer=LED_ON), done(client=ACTS, freelancer=REFUSED),
        form={"comment": "The logo is missing."},
    ),
    Row(
        "billing:release", "running",
        parties(client=PAGE, freelancer=LED_ON), parties(client=ACTS, freelancer=REFUSED),
        query="escrow=1", form={"escrow": "1", "seen_minor": "50000"},
    ),
    Row(
        "billing:release_part", "running",
        parties(client=PAGE, freelancer=LED_ON), parties(client=ACTS, freelancer=REFUSED),
        query="escrow=1", form={"escrow": "1", "amount": "100", "seen_minor": "50000"},
    ),
    Row(
        "billing:refund", "running",
        parties(freelancer=PAGE, client=LED_ON), parties(freelancer=ACTS, client=REFUSED),
        query="escrow=1",
        form={"escrow": "1", "amount": "100", "reason": "Less work", "seen_minor": "50000"},
    ),
    Row(
        "billing:refund_released", "job",
        parties(freelancer=PAGE, client=LED_ON), parties(freelancer=ACTS, client=REFUSED),
        query="escrow=1",
        form={"escrow": "1", "amount": "100", "reason": "A mistake", "seen_minor": "50000"},
    ),
    Row("billing:complete_job", "endless", parties(PAGE), parties(ACTS)),
]  # fmt: skip

CANCELLING = [
    Row(
        "billing:cancel_job", "running", parties(PAGE), parties(ACTS),
        form={"step": "send", "reason": "No time", "share-1": "0", "seen-1": "50000"},
    ),
    Row("billing:cancellation", "cancellation", parties(PAGE)),
    Row(
        "billing:accept_cancellation", "cancellation",
        everyone(NO_WAY), parties(freelancer=ACTS, client=REFUSED),
    ),
    Row(
        "billing:decline_cancellation", "cancellation",
        everyone(NO_WAY), parties(freelancer=ACTS, client=REFUSED),
        form={"answer": "It is nearly done."},
    ),
    Row(
        "billing:withdraw_cancellation", "cancellation",
        everyone(NO_WAY), parties(client=ACTS, freelancer=REFUSED),
    ),
]  # fmt: skip

PAPERS = [
    Row("billing:pro_forma", "pro_forma", read()),
    Row("billing:pro_forma_pdf", "pro_forma", read()),
    Row("billing:document", "document", read()),
    Row("billing:document_pdf", "document", read()),
    # The Freelancer is the same in both Jobs; the Client of this one is the "other".
    Row("billing:statement", "statement", read(client=HIDDEN, other=PAGE)),
    Row("billing:statement_pdf", "statement", read(client=HIDDEN, other=PAGE)),
]

PAYING = [
    Row("billing:cards", "", signed_in(PAGE)),
    Row(
        "billing:add_card", "", signed_in(PAGE), signed_in(ACTS),
        form={"number": "4242424242424242", "expires_on": "12/33"},
    ),
    Row("billing:authenticate_card", "slow_card", owner(CLIENT, PAGE), owner(CLIENT, ACTS)),
    Row("billing:remove_card", "card", owner(CLIENT, PAGE), owner(CLIENT, ACTS)),
    Row(
        "billing:request_funding", "paying",
        everyone(NO_WAY), parties(freelancer=ACTS, client=REFUSED), form={"escrow": "2"},
    ),
    Row(
        "billing:fund", "paying",
        parties(client=PAGE, freelancer=LED_ON), parties(client=ACTS, freelancer=REFUSED),
        query="escrow=2", form={"escrow": "2", "card": "{card}", "seen_minor": "100000"},
    ),
    Row("billing:payment", "payment", parties(client=PAGE, freelancer=LED_ON)),
    Row("billing:authenticate_payment", "pending", owner(CLIENT, LED_ON)),
    Row("billing:check_payment", "pending", everyone(NO_WAY), owner(CLIENT, REFUSED)),
    Row("billing:cancel_payment", "pending", owner(CLIENT, PAGE), owner(CLIENT, ACTS)),
    Row(
        "billing:bank_challenge", "challenge", owner(CLIENT, PAGE), owner(CLIENT, ACTS),
        form={"answer": "authenticate"},
    ),
    # Whoever comes has signed his message, or is told that he has not.
    Row("billing:gateway_webhook", "simulated", everyone(NO_WAY), everyone(BAD), guarded=False),
    Row("billing:balance", "", signed_in(PAGE)),
    Row(
        "billing:pay_out", "",
        signed_in(LED_ON, freelancer=PAGE), signed_in(REFUSED, freelancer=ACTS),
        form={
            "currency": "USD", "amount": "10", "destination": "DE02 1203 0000 0000 2020 51",
            "idempotency_key": "{one_click}",
        },
    ),
]  # fmt: skip

DISPUTING = [
    Row(
        "billing:open_dispute", "running", parties(PAGE), parties(ACTS), query="escrow=1",
        form={
            "escrow": "1", "asks": "refund", "amount": "500", "reason": "It is not there.",
            "seen_minor": "50000",
        },
    ),
    Row("billing:dispute", "dispute", read()),
    Row(
        "billing:answer_dispute", "contested",
        asked(freelancer=PAGE, client=LED_ON), done(freelancer=ACTS, client=REFUSED),
        form={"text": "It is all there."},
    ),
    Row(
        "billing:add_statement", "contested", asked(client=PAGE, freelancer=PAGE), done(client=ACTS, freelancer=ACTS),
        form={"text": "Look again, please."},
    ),
    Row(
        "billing:add_evidence", "contested",
        asked(client=PAGE, freelancer=PAGE), done(client=ACTS, freelancer=ACTS), form=PDF,
    ),
    Row(
        "billing:escalate_dispute", "contested",
        asked(client=PAGE, freelancer=PAGE), done(client=ACTS, freelancer=ACTS),
    ),
    Row(
        "billing:withdraw_dispute", "contested",
        asked(client=PAGE, freelancer=LED_ON), done(client=ACTS, freelancer=REFUSED),
        form={"reason": "We talked."},
    ),
    Row(
        "billing:dispute_offer", "contested", asked(client=PAGE, freelancer=PAGE), done(client=ACTS, freelancer=ACTS),
        form={"amount": "200", "seen_minor": "50000"},
    ),
    Row(
        "billing:accept_offer", "clients_offer",
        asked(freelancer=PAGE, client=LED_ON), done(freelancer=ACTS, client=REFUSED),
    ),
    Row(
        "billing:withdraw_offer", "clients_offer",
        asked(client=PAGE, freelancer=LED_ON), done(client=ACTS, freelancer=REFUSED),
    ),
    # The Client's limit waits already.
    Row(
        "billing:sealed_offer", "contested",
        asked(freelancer=PAGE, client=LED_ON), done(freelancer=ACTS, client=REFUSED),
        form={"amount": "300", "seen_minor": "50000"},
    ),
    Row(
        "billing:take_back_sealed", "contested",
        asked(client=PAGE, freelancer=LED_ON), done(client=ACTS, freelancer=REFUSED),
    ),
]  # fmt: skip

BILLING = [*RELEASING, *CANCELLING, *PAPERS, *PAYING, *DISPUTING]
