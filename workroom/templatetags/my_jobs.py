"""The lines of My Jobs.

They are put together here because there are twenty-five of them with a menu each: a template takes
ten times as long. Every value is escaped, as in a template.
"""

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString

from escrow_site.lib.markup import fill, together
from escrow_site.lib.templatetags.escrow import instant, money
from escrow_site.lib.web import address_pattern
from jobs.models import Job
from workroom.selectors.my_jobs import JobRow

register = template.Library()

ROW = (
    '<tr><td data-label="Job"><a href="{url}">{title}</a> <small>{other}</small></td>\n'
    '<td data-label="State"><span class="state state-{state}">{state_label}</span>{overdue}{note}</td>\n'
    "{amounts}\n"
    '<td data-label="Last activity">{last_at}</td>\n'
    '<td class="row-actions"><details class="menu"><summary>Actions'
    '<span class="visually-hidden"> for {title}</span></summary><div>{menu}</div></details></td></tr>\n'
)
AMOUNTS = (
    '<td class="num" data-label="Total">{total}</td><td class="num" data-label="Held">{held}</td>'
    '<td class="num" data-label="Released">{released}</td>'
)
RATE = (
    '<td class="num" data-label="Rate">{rate}<small>an hour</small></td>'
    '<td class="num" data-label="Held">–</td><td class="num" data-label="Released">–</td>'
)
OVERDUE = SafeString(' <span class="state state-overdue">Overdue</span>')
NOTE = " <small>{note}</small>"
LINK = '<a href="{url}">{label}</a>'
STATES = dict(Job.State.choices)
# The menu of a line: names of addresses, and labels.
Menu = tuple[tuple[str, str], ...]
OF_DRAFT: Menu = (
    ("workroom:draft", "Edit"),
    ("workroom:award", "Award"),
    ("workroom:discard_draft", "Discard"),
)
OF_JOB: Menu = (
    ("workroom:terms", "Terms"),
    ("workroom:reports", "Status Reports"),
    ("workroom:job_billing", "Billing & Invoices"),
)
OF_WORK: Menu = (*OF_JOB[:2], ("workroom:create_report", "Create Status Report"), *OF_JOB[2:])


@register.simple_tag
def job_rows(rows: Iterable[JobRow]) -> SafeString:
    """All lines of a page; what is the same in each of them is made once."""
    url = address_pattern("workroom:job")
    menus = {menu: _menu(menu) for menu in (OF_DRAFT, OF_JOB, OF_WORK)}
    return together(_row(row, url, menus[_kind_of_menu(row)]) for row in rows)


def _menu(links: Menu) -> str:
    """The links of a menu, to be filled with the id of a Job."""
    return together(fill(LINK, url=address_pattern(name), label=label) for name, label in links)


def _kind_of_menu(row: JobRow) -> Menu:
    if row.job.state == Job.State.DRAFT:
        return OF_DRAFT
    return OF_WORK if row.job.is_running and not row.is_client else OF_JOB


def _row(row: JobRow, url: str, menu: str) -> SafeString:
    job = row.job
    return fill(
        ROW,
        url=url.format(job.pk),
        title=job.title,
        other=_other(row),
        state=job.state,
        state_label=STATES[job.state],
        overdue=OVERDUE if row.is_overdue else "",
        note=fill(NOTE, note=row.note) if row.note else "",
        amounts=_amounts(row),
        last_at=instant(row.last_at),
        menu=SafeString(menu.replace("{}", str(job.pk))),
    )


def _other(row: JobRow) -> str:
    if not row.is_client:
        return f"Client: {row.other}"
    return f"Freelancer: {row.other}" if row.other else "Not awarded yet"


def _amounts(row: JobRow) -> SafeString:
    currency = row.job.currency
    if row.total_minor is None:
        return fill(RATE, rate=money(row.job.hourly_rate_minor, currency))
    return fill(
        AMOUNTS,
        total=money(row.total_minor, currency),
        held=money(row.held_minor, currency) or "–",
        released=money(row.released_minor, currency) or "–",
    )
