"""Who may what at the support desk (read tests/authorisation/table.py first).

``MODELS`` stand for the six pages that the desk has of every model; what a model has besides is a row of its own.
"""

from tests.authorisation.words import (
    ACTS,
    DESK,
    FORBIDDEN,
    HIDDEN,
    LED_ON,
    NO_WAY,
    OTHER,
    PAGE,
    PARTIES,
    REFUSED,
    SIGN_IN,
    STRANGER,
    ModelPages,
    Row,
    desk,
    everyone,
)

NEW_PASSWORD = "a longer horse battery staple"
BY_SUPERUSERS = desk(FORBIDDEN, superuser=PAGE)
NOBODY_LOOKS = desk(NO_WAY)
DECIDING = desk(REFUSED, agent=ACTS, senior=ACTS, superuser=ACTS)
CONFIRMING = desk(REFUSED, senior=ACTS, superuser=ACTS)
# An auditor is not even asked what he wants.
ACTING = desk(PAGE, auditor=FORBIDDEN)
ACTING_SENT = desk(ACTS, auditor=FORBIDDEN)

# All are read by the whole desk and changed by nobody, unless the line says otherwise.
MODELS = [
    ModelPages(
        "auth_group",
        look=BY_SUPERUSERS,
        add=BY_SUPERUSERS,
        change=BY_SUPERUSERS,
        delete=BY_SUPERUSERS,
    ),
    ModelPages("jobs_person", change=BY_SUPERUSERS),
    ModelPages("jobs_policy", change=BY_SUPERUSERS),
    *(
        ModelPages(model)
        for model in (
            "account_emailaddress",
            "jobs_activity",
            "jobs_addresschange",
            "jobs_attempt",
            "jobs_heartbeat",
            "jobs_invitation",
            "jobs_job",
            "jobs_notification",
            "jobs_storedfile",
            "billing_account",
            "billing_allocation",
            "billing_cancellation",
            "billing_cancellationshare",
            "billing_chargeback",
            "billing_closingstatement",
            "billing_decision",
            "billing_dispute",
            "billing_disputestatement",
            "billing_document",
            "billing_documentseries",
            "billing_escrow",
            "billing_evidence",
            "billing_fundingrequest",
            "billing_gatewayevent",
            "billing_intervention",
            "billing_offer",
            "billing_payment",
            "billing_paymentmethod",
            "billing_payout",
            "billing_proforma",
            "billing_refund",
            "billing_release",
            "billing_releaserequest",
            "billing_sealedlimit",
            "billing_simulatedcard",
            "billing_simulatedcharge",
            "billing_transfer",
            "workroom_milestone",
            "workroom_reportattachment",
            "workroom_reportline",
            "workroom_statusreport",
            "workroom_terms",
            "workroom_timesheet",
            "workroom_timesheetentry",
        )
    ),
]

# Who is signed in and no staff is told so; who is not signed in is asked to.
DOOR = desk(LED_ON) | dict.fromkeys((STRANGER, OTHER, *PARTIES), FORBIDDEN)
DOOR_OUT = everyone(LED_ON) | dict.fromkeys(DESK, NO_WAY)
HARMLESS = desk(REFUSED)
NOT_SENT = desk(NO_WAY)

FRONT = [
    Row("admin:index", "", desk(PAGE), HARMLESS),
    Row("admin:login", "", DOOR, DOOR | dict.fromkeys(DESK, REFUSED), head=False),
    Row("admin:logout", "", DOOR_OUT, everyone(REFUSED) | dict.fromkeys(DESK, SIGN_IN)),
    Row("admin:password_change", "", desk(PAGE), HARMLESS),
    Row("admin:password_change_done", "", desk(PAGE), NOT_SENT),
    Row("admin:autocomplete", "", desk(FORBIDDEN), NOT_SENT),
    Row("admin:jsi18n", "", desk(PAGE), NOT_SENT),
    Row("admin:view_on_site", "type_of_job job", desk(HIDDEN), desk(HIDDEN)),
    Row("admin:app_list", "billing", desk(PAGE), HARMLESS),
    Row("admin/(?P<url>.*)$", "no-such-page", desk(HIDDEN), desk(HIDDEN)),
]

OF_MODELS = [
    Row("admin:jobs_job_story", "job", desk(PAGE), HARMLESS),
    Row(
        "admin:auth_user_password_change", "person_stranger", BY_SUPERUSERS,
        desk(FORBIDDEN, superuser=ACTS),
        form={"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"},
    ),
    Row(
        "admin:jobs_person_lock", "person_stranger", ACTING, ACTING_SENT,
        form={"reason": "A stolen laptop."},
    ),
    Row(
        "admin:jobs_person_unlock", "person_stranger", ACTING,
        desk(REFUSED, auditor=FORBIDDEN), form={"reason": "It was found."},
    ),
    # What is written is who looked, in the log of the desk.
    Row("admin:jobs_job_see_as", "job client", NOBODY_LOOKS, desk(ACTS)),
    Row("admin:jobs_job_stop_seeing", "", NOBODY_LOOKS, HARMLESS),
    Row(
        "admin:billing_intervention_propose", "running release", ACTING, ACTING_SENT,
        form={
            "number": "1", "amount": "10", "asked_by": "{person_client}", "asked_how": "By phone.",
            "reason": "He cannot sign in.", "seen_minor": "50000", "previewed": "true",
        },
    ),
    Row("admin:billing_intervention_check", "intervention", desk(PAGE), NOBODY_LOOKS),
    Row("admin:billing_intervention_confirm", "intervention", NOBODY_LOOKS, CONFIRMING),
    Row(
        "admin:billing_intervention_send_back", "intervention", NOBODY_LOOKS, CONFIRMING,
        form={"answer": "Call him back first."},
    ),
    # Who proposed it may take it back; he is not on this stage.
    Row(
        "admin:billing_intervention_withdraw", "intervention", NOBODY_LOOKS,
        desk(REFUSED),
    ),
    Row("admin:billing_dispute_case", "dispute", desk(PAGE), NOT_SENT),
    Row(
        "admin:billing_dispute_ask", "mediated", NOBODY_LOOKS, DECIDING,
        form={"text": "What was agreed?"},
    ),
    Row(
        "admin:billing_dispute_decide", "mediated", NOBODY_LOOKS, DECIDING,
        form={"to_freelancer": "100", "reasons": "Some of it is done.", "seen_held_minor": "50000"},
    ),
    Row(
        "admin:billing_dispute_confirm", "dispute", NOBODY_LOOKS, CONFIRMING,
        form={"decision": "{decision}"},
    ),
    Row(
        "admin:billing_dispute_send_back", "dispute", NOBODY_LOOKS, CONFIRMING,
        form={"decision": "{decision}", "answer": "Please read the report."},
    ),
    # It is somebody else's, here as below.
    Row(
        "admin:billing_dispute_withdraw", "dispute", NOBODY_LOOKS, desk(REFUSED),
        form={"decision": "{decision}"},
    ),
    Row("admin:billing_chargeback_end", "chargeback", desk(PAGE), NOT_SENT),
    Row(
        "admin:billing_chargeback_record", "chargeback", NOBODY_LOOKS, DECIDING,
        form={"outcome": "won", "reason": "Letter of 5 March."},
    ),
    Row(
        "admin:billing_chargeback_confirm", "recorded_chargeback", NOBODY_LOOKS, CONFIRMING,
        form={"seen_outcome": "lost"},
    ),
    Row(
        "admin:billing_chargeback_send_back", "recorded_chargeback", NOBODY_LOOKS, CONFIRMING,
        form={"answer": "The letter says won."},
    ),
    Row("admin:billing_chargeback_take_back", "recorded_chargeback", NOBODY_LOOKS, desk(REFUSED)),
]  # fmt: skip

DESK_PAGES = [*FRONT, *OF_MODELS]
