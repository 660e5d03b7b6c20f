"""The line of the Billing list.

It is put together here because the list has fifty of them: a template takes ten times as long.
Every value is escaped, as in a template.
"""

from django import template
from django.utils.safestring import SafeString

from escrow_site.lib.markup import fill
from workroom.selectors.billing import Row

register = template.Library()

ROW = (
    '<tr><td class="nowrap"><a href="{paper_url}">{name}</a><small>{what}</small></td>'
    '<td data-label="Job"><a href="{job_url}">{job}</a><small>{escrow}</small>'
    "<small>{other_role}: {other_party}</small></td>"
    '<td class="num" data-label="Amount">{amount}</td>'
    '<td data-label="State"><span class="state state-{state}">{state_label}</span></td>'
    '<td data-label="Date">{day}<small>{time}</small></td>'
    "{due}"
    '<td class="row-actions"><a class="button small" href="{url}" aria-label="View {name}">View</a>'
    "</td></tr>\n"
)
DUE = '<td data-label="Due">{due_day}<small>{due_time}</small></td>'
NOT_DUE = SafeString("<td></td>")


@register.filter
def billing_row(row: Row) -> SafeString:
    """One line of the Billing list."""
    due = fill(DUE, due_day=row.due_day, due_time=row.due_time) if row.due_day else NOT_DUE
    return fill(ROW, **row._asdict(), due=due)
