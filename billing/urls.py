"""Addresses of the money."""

from django.urls import URLPattern, path

from billing.views import (
    bank,
    cards,
    completion,
    documents,
    funding,
    payments,
    payouts,
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
    path("billing/jobs/<int:job_id>/release/", releases.release, name="release"),
    path("billing/jobs/<int:job_id>/complete/", completion.complete_job, name="complete_job"),
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
    # Balance and payouts
    path("billing/balance/", payouts.balance, name="balance"),
    path("billing/balance/pay-out/", payouts.pay_out, name="pay_out"),
]
