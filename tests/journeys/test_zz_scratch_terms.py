from datetime import timedelta, date
from dataclasses import replace
import pytest
from escrow_site.lib import timing
from tests.workroom.agreements import *
from tests import scenarios
from billing.models import *
from workroom.proposals import *
from workroom.services import terms, awards, drafts

@pytest.mark.django_db(transaction=True)
def test_shots(open_browser, photograph, check_accessibility, client_person, freelancer, console):
    import tests.journeys.conftest as c
    from pathlib import Path
    c.PICTURES = Path("/tmp/shots/terms")
    now = timing.now()
    p = open_browser(client_person)
    def shot(page, url, name):
        r = page.goto(url)
        photograph(page, name)
        print(name, r.status, len(page.content()))
        check_accessibility(page)
    shot(p, "/jobs/", "01-empty")
    shot(p, "/jobs/new/", "02-new")
    d = draft(client_person, at=now, message="Hello Frank,\nthis is what we talked about.")
    shot(p, f"/jobs/{d.pk}/draft/", "03-draft")
    shot(p, f"/jobs/{d.pk}/award/", "04-award")
    shot(p, f"/jobs/{d.pk}/discard/", "05-discard")
    j = awards.award(d, by=client_person, email=freelancer.email, at=now)
    f = open_browser(freelancer)
    shot(p, f"/jobs/{j.pk}/", "06-job-awarded-client")
    shot(f, f"/jobs/{j.pk}/", "07-job-awarded-freelancer")
    shot(f, f"/jobs/{j.pk}/terms/", "08-terms-freelancer")
    shot(f, f"/jobs/{j.pk}/terms/propose/", "09-propose")
    shot(f, f"/jobs/{j.pk}/terms/1/accept/", "10-accept1")
    shot(f, f"/jobs/{j.pk}/terms/1/decline/", "11-decline")
    shot(f, f"/jobs/{j.pk}/award/decline/", "12-decline-award")
    terms.propose(j, by=freelancer, answering=1, at=now, terms=TermsInput(scope="A website\nin three languages\nwith a shop", starts_on=date(2026,3,2), message="I would like a deposit.", milestones=(MilestoneInput(title="Deposit", amount_minor=20000), MilestoneInput(title="Design and logo", amount_minor=60000, number=1, due_on=date(2026,3,31)))))
    shot(p, f"/jobs/{j.pk}/terms/", "13-terms-counter")
    shot(p, f"/jobs/{j.pk}/terms/2/accept/", "14-accept2")
    shot(p, f"/jobs/{j.pk}/terms/2/", "15-version2")
    shot(f, f"/jobs/{j.pk}/terms/2/withdraw/", "16-withdraw")
    a = agreed(client_person, freelancer, at=now)
    shot(p, f"/jobs/{a.pk}/", "20-active-client")
    shot(f, f"/jobs/{a.pk}/", "21-active-freelancer")
    scenarios.fund(a, 1, at=now)
    from billing.services import release_requests as releases
    from django.db import transaction
    with transaction.atomic():
        from billing.services.catching_up import lock_job
        lj = lock_job(a.pk, at=now)
        releases.request_release(lj, [Escrow.objects.get(job=a, number=1)], by=freelancer, at=now)
    shot(p, f"/jobs/{a.pk}/", "22-requested-client")
    shot(f, f"/jobs/{a.pk}/", "23-requested-freelancer")
    shot(f, f"/jobs/{a.pk}/activity/", "24-activity")
    for n in range(6):
        draft(client_person, at=now)
    hd = awards.award(hourly_draft(client_person, at=now), by=client_person, email="new@example.com", at=now)
    shot(p, "/jobs/", "30-my-jobs")
    shot(f, "/jobs/", "31-my-jobs-freelancer")
    shot(p, "/jobs/?words=zzz", "32-no-match")
    p.goto("/jobs/"); p.locator("tbody .menu summary").first.click(); p.screenshot(path="/tmp/shots/terms/33-menu.png")
    p.goto(f"/jobs/{a.pk}/"); p.locator(".page-actions .menu summary").click(); p.screenshot(path="/tmp/shots/terms/34-menu.png")
    console.clear()
