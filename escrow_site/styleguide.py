"""The style guide of local mode: every component with real content; here is what a template can't write."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.selectors.foretold import Moment, Reminder
from billing.timetables import What

RELEASED_AT = datetime(2026, 4, 8, 12, tzinfo=UTC)
SETTLED_AT = datetime(2026, 7, 14, tzinfo=UTC)
MOMENTS = [
    Moment(
        key="release-1",
        at=RELEASED_AT,
        what=What.RELEASE,
        title="“Wireframes” is released",
        text="$500.00 goes to Ben Okafor, $456.25 net after fees of $43.75, because you have not "
        "answered.",
        stops=("You can release it.", "Ben Okafor can void the request."),
        tone="warning",
        reminders=(
            Reminder(
                at=datetime(2026, 3, 24, 12, tzinfo=UTC),
                text="Both of you are reminded: the request is Overdue.",
            ),
            Reminder(at=datetime(2026, 4, 7, 12, tzinfo=UTC), text="You are warned: 1 day left."),
        ),
    ),
    Moment(
        key="settlement",
        at=SETTLED_AT,
        what=What.SETTLEMENT,
        title="The escrow account is settled",
        text="What Ben Okafor has not requested by then goes back to you.",
        lines=("“Website”: $1,000.00 goes back to you, without a fee.",),
        then="Then the Job is complete, and both of you get the Closing Statement.",
        tone="warning",
    ),
]


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component, and the markup to copy."""
    return render(request, "styleguide.html", {"moments": MOMENTS})
