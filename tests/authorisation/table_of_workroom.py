"""Who may what with Jobs, Terms, reports: the addresses of ``workroom`` (read tests/authorisation/table.py first)."""

from tests.authorisation.words import (
    ACTS,
    CLIENT,
    DESK,
    LED_ON,
    PAGE,
    REFUSED,
    Row,
    everyone,
    owner,
    parties,
    signed_in,
)

DRAFT = {
    "title": "Website", "kind": "fixed_price", "currency": "USD", "scope": "Pages", "then": "stay",
    "milestones-TOTAL_FORMS": "1", "milestones-INITIAL_FORMS": "0", "milestones-0-place": "1",
    "milestones-0-title": "Design", "milestones-0-amount": "500", "milestones-0-due_on": "",
}  # fmt: skip

CHANGE = {
    "answering": "2", "scope": "Pages", "starts_on": "", "ends_on": "", "message": "",
    "milestones-TOTAL_FORMS": "2", "milestones-INITIAL_FORMS": "0",
    "milestones-0-place": "1", "milestones-0-title": "Design", "milestones-0-amount": "500",
    "milestones-0-due_on": "2026-03-31", "milestones-0-number": "1",
    "milestones-1-place": "2", "milestones-1-title": "Build", "milestones-1-amount": "900",
    "milestones-1-due_on": "2026-04-30", "milestones-1-number": "2",
}  # fmt: skip

REPORT = {
    "m1-percent": "100", "m1-comment": "", "m2-percent": "30", "m2-comment": "Begun",
    "comments": "All is well.", "plan": "Go on.",
}  # fmt: skip

REST = {f"d{day}-{name}": "" for day in range(1, 7) for name in ("hours", "note")}

BEGINNING = [
    Row("workroom:rules", "", everyone(PAGE)),
    Row("workroom:rules_version", "policy", everyone(PAGE)),
    Row("workroom:my_jobs", "", signed_in(PAGE)),
    Row("workroom:new_job", "", signed_in(PAGE), signed_in(ACTS), form=DRAFT),
    Row("workroom:draft", "draft", owner(CLIENT, PAGE), owner(CLIENT, ACTS), form=DRAFT),
    Row("workroom:discard_draft", "draft", owner(CLIENT, PAGE), owner(CLIENT, ACTS)),
    Row(
        "workroom:award", "draft", owner(CLIENT, PAGE), owner(CLIENT, ACTS),
        form={"email": "frank@example.com"},
    ),
    Row(
        "workroom:withdraw_award", "awarded",
        parties(client=PAGE, freelancer=LED_ON), parties(client=ACTS, freelancer=REFUSED),
        form={"reason": "Too late."},
    ),
    Row(
        "workroom:decline_award", "awarded",
        parties(freelancer=PAGE, client=LED_ON), parties(freelancer=ACTS, client=REFUSED),
        form={"reason": "No time."},
    ),
    # Whoever has the link may read who invites whom; it opens nothing to anybody else.
    Row("workroom:invitation", "invitation", everyone(PAGE, client=LED_ON)),
    Row("workroom:calendar", "calendar", everyone(PAGE)),
]  # fmt: skip

RUNNING = [
    Row("workroom:job", "job", parties(PAGE)),
    Row("workroom:activity", "job", parties(PAGE)),
    # It is counted, as it costs the server something.
    Row("workroom:case_file", "job", parties(ACTS, **dict.fromkeys(DESK, ACTS))),
    Row(
        "workroom:close_account",
        "",
        signed_in(PAGE),
        signed_in(REFUSED),
        form={"email": "clara@example.com"},
    ),
    Row("workroom:export_account", "", everyone("no way"), signed_in(ACTS)),
    Row("workroom:job_billing", "job", parties(PAGE)),
    Row("workroom:disputes", "job", parties(PAGE)),
    Row("workroom:reports", "job", parties(PAGE)),
    Row("workroom:timesheets", "job", parties(PAGE)),
    Row("workroom:billing_list", "", signed_in(PAGE)),
    Row("workroom:send_invoice", "", signed_in(PAGE)),
    Row("workroom:send_invoice_job", "running", parties(PAGE)),
]

TERMS = [
    Row("workroom:terms", "job", parties(PAGE)),
    Row("workroom:terms_version", "job 2", parties(PAGE)),
    Row("workroom:propose_terms", "running", parties(PAGE), parties(ACTS), form=CHANGE),
    Row(
        "workroom:accept_terms", "running 2",
        parties(client=PAGE, freelancer=LED_ON), parties(client=ACTS, freelancer=REFUSED),
        form={"seen_refund_minor": "0"},
    ),
    Row(
        "workroom:decline_terms", "running 2",
        parties(client=PAGE, freelancer=LED_ON), parties(client=ACTS, freelancer=REFUSED),
        form={"answer": "No, thank you."},
    ),
    Row(
        "workroom:withdraw_terms", "running 2",
        parties(freelancer=PAGE, client=LED_ON), parties(freelancer=ACTS, client=REFUSED),
    ),
]  # fmt: skip

REPORTS = [
    Row(
        "workroom:create_report", "paying",
        parties(freelancer=PAGE, client=LED_ON), parties(freelancer=ACTS, client=REFUSED),
        form=REPORT,
    ),
    Row("workroom:report", "job report", parties(PAGE)),
    Row("workroom:report_of_request", "job billed", parties(LED_ON)),
    Row(
        "workroom:create_timesheet", "running",
        parties(freelancer=PAGE, client=LED_ON), parties(freelancer=ACTS, client=REFUSED),
        form={"week": "2026-03-09", "d0-hours": "7.5", "d0-note": "Sketches", "comments": ""} | REST,
    ),
    Row("workroom:timesheet", "job timesheet", parties(PAGE)),
]  # fmt: skip

WORKROOM = [*BEGINNING, *RUNNING, *TERMS, *REPORTS]
