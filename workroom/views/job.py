"""The overview of a Job: its state, what can be done now, what happens next."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from billing.selectors import cancellations
from escrow_site.lib import timing
from jobs.models import Job, Person
from jobs.selectors import history
from workroom import pages
from workroom.selectors import (
    forecasts,
    milestone_money,
    overview,
    turns,
    turns_of_disagreement,
)
from workroom.selectors import terms as terms_reading

RECENT_LINES = 5


@require_safe
@login_required
def job(request: HttpRequest, job_id: int) -> HttpResponse:
    """The page that everything about a Job hangs on; a draft has a page of its own."""
    assert isinstance(request.user, Person)
    row = pages.job_or_404(request, job_id)
    if row.state == Job.State.DRAFT:
        return redirect("workroom:draft", row.pk)
    at = timing.now()
    if row.activated_at:
        terms = None
        proposal = terms_reading.open_proposal(row, at=at)
    else:
        terms = proposal = terms_reading.standing_version(row, at=at)
    escrows = overview.money_of(row) if row.activated_at else []
    lines = (
        overview.lines_of_terms(terms)
        if terms
        else overview.lines_of_money(escrows, row, viewer=request.user)
    )
    turn = turns.turn(row, terms=proposal, escrows=escrows, viewer=request.user, at=at)
    cancellation = turns_of_disagreement.of_cancellation(
        cancellations.open_of(row), job=row, viewer=request.user, at=at
    )
    statement = row.closing_statements.order_by("-number").first() if row.has_ended else None
    context = {
        **pages.job_context(request, row, tab="workroom:job"),
        "turn": turn,
        "cancellation": cancellation,
        "first_to_do": turns_of_disagreement.first_to_do(turn, cancellation),
        "need_not_start": turns.nothing_was_ever_funded(row, escrows),
        "lines": lines,
        "totals": {
            "agreed_minor": sum(line.amount_minor for line in lines if line.is_agreed),
            "held_minor": sum(line.held_minor for line in lines),
            "released_minor": sum(line.released_minor for line in lines),
            "credited_minor": sum(line.credited_minor for line in lines),
        },
        "forecast": forecasts.of_page(
            row, escrows=escrows, terms=proposal, viewer=request.user, at=at
        ),
        "recent": history.lines(history.of_job(row, limit=RECENT_LINES), row, request.user),
        "terms": terms,
        "proposal": proposal if row.activated_at else None,
        "completable": milestone_money.nothing_is_under_way(escrows),
        "url_to_dispute": milestone_money.url_to_dispute(row, escrows, viewer=request.user, at=at),
        "statement": statement,
    }
    return render(request, "workroom/job.html", context)
