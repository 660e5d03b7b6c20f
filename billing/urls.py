"""Addresses of the money."""

from django.urls import URLPattern, path

from billing.views import (
    bank,
    cancellations,
    cards,
    completion,
    dispute_offers,
    disputes,
    documents,
    funding,
    payments,
    payouts,
    refunding,
    release_requests,
    releases,
    statements,
)
from billing.webhooks import gateway_webhook

app_name = "billing"

urlpatterns: list[URLPattern] = [
    path(
        "billing/requests/<int:request_id>/",
        release_requests.release_request,
        name="release_request",
    ),
    path("billing/requests/<int:request_id>/void/", release_requests.void, name="void_request"),
    path(
        "billing/requests/<int:request_id>/request-changes/",
        release_requests.request_changes,
        name="request_changes",
    ),
    path("billing/jobs/<int:job_id>/release-part/", releases.release_part, name="release_part"),
    path("billing/jobs/<int:job_id>/refund/", refunding.refund, name="refund"),
    path(
        "billing/jobs/<int:job_id>/refund-released/",
        refunding.refund_released,
        name="refund_released",
    ),
    path("billing/jobs/<int:job_id>/release/", releases.release, name="release"),
    path("billing/jobs/<int:job_id>/complete/", completion.complete_job, name="complete_job"),
    # Cancellation of a Job
    path("billing/jobs/<int:job_id>/cancel/", cancellations.cancel_job, name="cancel_job"),
    path(
        "billing/cancellations/<int:cancellation_id>/",
        cancellations.cancellation,
        name="cancellation",
    ),
    path(
        "billing/cancellations/<int:cancellation_id>/accept/",
        cancellations.accept_cancellation,
        name="accept_cancellation",
    ),
    path(
        "billing/cancellations/<int:cancellation_id>/decline/",
        cancellations.decline_cancellation,
        name="decline_cancellation",
    ),
    path(
        "billing/cancellations/<int:cancellation_id>/withdraw/",
        cancellations.withdraw_cancellation,
        name="withdraw_cancellation",
    ),
    path("billing/pro-formas/<int:pro_forma_id>/", documents.pro_forma, name="pro_forma"),
    path(
        "billing/pro-formas/<int:pro_forma_id>/pdf/", documents.pro_forma_pdf, name="pro_forma_pdf"
    ),
    path("billing/documents/<int:document_id>/", documents.document, name="document"),
    path("billing/documents/<int:document_id>/pdf/", documents.document_pdf, name="document_pdf"),
    path("billing/statements/<int:statement_id>/", statements.statement, name="statement"),
    path(
        "billing/statements/<int:statement_id>/pdf/", statements.statement_pdf, name="statement_pdf"
    ),
    # Cards
    path("billing/cards/", cards.cards, name="cards"),
    path("billing/cards/add/", cards.add_card, name="add_card"),
    path(
        "billing/cards/<int:method_id>/authenticate/",
        cards.authenticate_card,
        name="authenticate_card",
    ),
    path("billing/cards/<int:method_id>/remove/", cards.remove_card, name="remove_card"),
    # Funding and payments
    path(
        "billing/jobs/<int:job_id>/request-funding/",
        funding.request_funding,
        name="request_funding",
    ),
    path("billing/jobs/<int:job_id>/fund/", funding.fund, name="fund"),
    path("billing/payments/<int:payment_id>/", payments.payment, name="payment"),
    path(
        "billing/payments/<int:payment_id>/authenticate/",
        payments.authenticate_payment,
        name="authenticate_payment",
    ),
    path("billing/payments/<int:payment_id>/check/", payments.check_payment, name="check_payment"),
    path(
        "billing/payments/<int:payment_id>/cancel/", payments.cancel_payment, name="cancel_payment"
    ),
    path("bank/<slug:reference>/", bank.bank_challenge, name="bank_challenge"),
    path("webhooks/<slug:gateway>/", gateway_webhook, name="gateway_webhook"),
    # Disputes
    path("billing/jobs/<int:job_id>/dispute/", disputes.open_dispute, name="open_dispute"),
    path("billing/disputes/<int:dispute_id>/", disputes.dispute, name="dispute"),
    path(
        "billing/disputes/<int:dispute_id>/answer/", disputes.answer_dispute, name="answer_dispute"
    ),
    path(
        "billing/disputes/<int:dispute_id>/statement/",
        disputes.add_statement,
        name="add_statement",
    ),
    path("billing/disputes/<int:dispute_id>/evidence/", disputes.add_evidence, name="add_evidence"),
    path(
        "billing/disputes/<int:dispute_id>/mediation/",
        disputes.escalate_dispute,
        name="escalate_dispute",
    ),
    path(
        "billing/disputes/<int:dispute_id>/withdraw/",
        disputes.withdraw_dispute,
        name="withdraw_dispute",
    ),
    path(
        "billing/disputes/<int:dispute_id>/offer/",
        dispute_offers.dispute_offer,
        name="dispute_offer",
    ),
    path("billing/offers/<int:offer_id>/accept/", dispute_offers.accept_offer, name="accept_offer"),
    path(
        "billing/offers/<int:offer_id>/withdraw/",
        dispute_offers.withdraw_offer,
        name="withdraw_offer",
    ),
    path(
        "billing/disputes/<int:dispute_id>/sealed/",
        dispute_offers.sealed_offer,
        name="sealed_offer",
    ),
    path(
        "billing/disputes/<int:dispute_id>/sealed/take-back/",
        dispute_offers.take_back_sealed,
        name="take_back_sealed",
    ),
    # Balance and payouts
    path("billing/balance/", payouts.balance, name="balance"),
    path("billing/balance/pay-out/", payouts.pay_out, name="pay_out"),
]
