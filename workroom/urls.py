"""Addresses of the workroom."""

from django.urls import URLPattern, path

from workroom.views import (
    account_closing,
    activity,
    awards,
    billing_list,
    calendars,
    case_files,
    disputes,
    drafts,
    invitations,
    job,
    job_billing,
    my_jobs,
    reports,
    rules,
    send_invoice,
    terms,
    timesheets,
)

app_name = "workroom"

urlpatterns: list[URLPattern] = [
    path("rules/", rules.rules, name="rules"),
    path("rules/<int:version>/", rules.rules_version, name="rules_version"),
    path("profile/close/", account_closing.close_account, name="close_account"),
    path("profile/export/", account_closing.export_account, name="export_account"),
    path("jobs/", my_jobs.my_jobs, name="my_jobs"),
    path("jobs/new/", drafts.new_job, name="new_job"),
    path("jobs/<int:job_id>/", job.job, name="job"),
    path("jobs/<int:job_id>/draft/", drafts.draft, name="draft"),
    path("jobs/<int:job_id>/discard/", drafts.discard_draft, name="discard_draft"),
    path("jobs/<int:job_id>/award/", awards.award, name="award"),
    path("jobs/<int:job_id>/award/withdraw/", awards.withdraw_award, name="withdraw_award"),
    path("jobs/<int:job_id>/award/decline/", awards.decline_award, name="decline_award"),
    path("jobs/<int:job_id>/terms/", terms.terms, name="terms"),
    path("jobs/<int:job_id>/terms/propose/", terms.propose_terms, name="propose_terms"),
    path("jobs/<int:job_id>/terms/<int:version>/", terms.terms_version, name="terms_version"),
    path("jobs/<int:job_id>/terms/<int:version>/accept/", terms.accept_terms, name="accept_terms"),
    path(
        "jobs/<int:job_id>/terms/<int:version>/decline/", terms.decline_terms, name="decline_terms"
    ),
    path(
        "jobs/<int:job_id>/terms/<int:version>/withdraw/",
        terms.withdraw_terms,
        name="withdraw_terms",
    ),
    path("jobs/<int:job_id>/case-file/", case_files.case_file, name="case_file"),
    path("jobs/<int:job_id>/activity/", activity.activity, name="activity"),
    path("invitations/<slug:token>/", invitations.invitation, name="invitation"),
    path("jobs/<int:job_id>/billing/", job_billing.job_billing, name="job_billing"),
    path("jobs/<int:job_id>/disputes/", disputes.disputes, name="disputes"),
    path("calendar/<slug:token>.ics", calendars.calendar, name="calendar"),
    path("billing/", billing_list.billing_list, name="billing_list"),
    path("billing/send-invoice/", send_invoice.send_invoice, name="send_invoice"),
    path(
        "billing/send-invoice/<int:job_id>/",
        send_invoice.send_invoice_job,
        name="send_invoice_job",
    ),
    path("jobs/<int:job_id>/reports/", reports.report_list, name="reports"),
    path("jobs/<int:job_id>/reports/create/", reports.create_report, name="create_report"),
    path("jobs/<int:job_id>/reports/<int:report_id>/", reports.report, name="report"),
    path(
        "jobs/<int:job_id>/reports/of-request/<int:request_id>/",
        reports.report_of_request,
        name="report_of_request",
    ),
    path("jobs/<int:job_id>/timesheets/", timesheets.timesheet_list, name="timesheets"),
    path(
        "jobs/<int:job_id>/timesheets/create/",
        timesheets.create_timesheet,
        name="create_timesheet",
    ),
    path(
        "jobs/<int:job_id>/timesheets/<int:timesheet_id>/",
        timesheets.timesheet,
        name="timesheet",
    ),
]
