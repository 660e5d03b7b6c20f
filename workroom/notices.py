"""The kinds of Activity and notices that are about Terms, awards, reports and timesheets."""

from jobs.notices import Audience, kind

AWARDED = kind(
    "awarded",
    "awarded the Job to {freelancer}",
    Audience.FREELANCER,
    "Awarded to you: {job}",
    url_name="workroom:terms",
)
INVITED = kind(
    "invited",
    "invited {email} to the Job",
    Audience.ADDRESS,
    "{client} invites you to a Job: {job}",
)
TERMS_PROPOSED = kind(
    "terms_proposed",
    "proposed Terms {version}",
    Audience.OTHER_PARTY,
    "Terms proposed: {job}",
    counts=True,
    url_name="workroom:terms",
)
TERMS_ACCEPTED = kind(
    "terms_accepted",
    "accepted Terms {version}",
    Audience.OTHER_PARTY,
    "Terms accepted: {job}",
    counts=True,
    url_name="workroom:terms",
)
TERMS_CHANGED = kind(
    "terms_changed",
    "accepted Terms {version}, which change the Terms of the Job",
    Audience.BOTH,
    "Terms changed: {job}",
    counts=True,
    url_name="workroom:terms",
)
TERMS_UNFIT = kind(
    "terms_unfit",
    "closed Terms {version}: they do not fit any more",
    Audience.BOTH,
    "Terms {version} do not fit any more: {job}",
    url_name="workroom:terms",
)
TERMS_DECLINED = kind(
    "terms_declined",
    "declined Terms {version}",
    Audience.OTHER_PARTY,
    "Terms declined: {job}",
    url_name="workroom:terms",
)
TERMS_WITHDRAWN = kind(
    "terms_withdrawn",
    "withdrew Terms {version}",
    Audience.OTHER_PARTY,
    "Terms withdrawn: {job}",
    url_name="workroom:terms",
)
AWARD_DECLINED = kind("award_declined", "declined the Job", Audience.CLIENT, "Job declined: {job}")
AWARD_WITHDRAWN = kind(
    "award_withdrawn", "withdrew the award", Audience.FREELANCER, "Award withdrawn: {job}"
)
REPORT_SUBMITTED = kind(
    "report_submitted",
    "sent the Status Report for the week of {week}",
    Audience.CLIENT,
    "Status Report: {job}",
    counts=True,
    url_name="workroom:report",
    url_facts=("job", "report"),
)
TIMESHEET_SUBMITTED = kind(
    "timesheet_submitted",
    "submitted the timesheet for the week of {week}",
    Audience.CLIENT,
    "Timesheet: {job}",
    counts=True,
    url_name="workroom:timesheet",
    url_facts=("job", "timesheet"),
)
