"""Pages of a change of the Terms, for both sides: what is locked, what moves, the answers (R2.3, R2.4)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import Refund
from billing.services import payments, releases
from tests.billing.banking import add_card
from tests.billing.steps import request_release, text_of
from tests.scenarios import fund
from tests.workroom.agreements import DESIGN, agreed, hourly_draft
from tests.workroom.changing import FIRST, SECOND, escrow, propose, standing, versions
from tests.workroom.terms_steps import address, signed_in
from tests.world import world
from workroom.proposals import MilestoneInput
from workroom.services import awards, terms

pytestmark = pytest.mark.django_db

CHEAPER = replace(FIRST, amount_minor=400_00)
SPARE = MilestoneInput(title="Spare", amount_minor=250_00)
ROWS = ({"title": "Design", "amount": "400", "number": "1", "due_on": "2026-03-31"},
        {"title": "Build", "amount": "1000", "number": "2", "due_on": "2026-04-30"})  # fmt: skip


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def job(client_person, freelancer, now):
    """500.00 is funded, 1,000.00 is not."""
    job = agreed(client_person, freelancer, at=now)
    fund(job, 1, at=now)
    return job


def typed(*rows, **values):
    data = {
        "answering": "1", "scope": "A website\nin two languages", "starts_on": "2026-03-02",
        "ends_on": "2026-04-30", "message": "",
        "milestones-TOTAL_FORMS": str(len(rows)), "milestones-INITIAL_FORMS": "0",
    }  # fmt: skip
    for place, row in enumerate(rows):
        for name, value in ({"place": str(place + 1), "due_on": ""} | row).items():
            data[f"milestones-{place}-{name}"] = value
    return data | values


def look(person, name, *numbers):
    response = signed_in(person).get(address(name, *numbers))
    assert response.status_code == 200
    return response


# --- Proposing ---


@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_a_change_is_proposed_from_the_actions_menu(job, role):
    person = getattr(job, role)
    for name in ("job", "terms", "activity", "job_billing"):
        assert f'href="{address("propose_terms", job.pk)}">Send changed Terms' in (
            look(person, name, job.pk).content.decode()
        )
    said = text_of(look(person, "propose_terms", job.pk))
    assert "What is agreed stays in force until both of you agree." in said
    back_to = "you" if role == "client" else "Clara Client"
    assert f"What is held beyond a lower price goes back to {back_to} when" in said

    response = signed_in(person).post(address("propose_terms", job.pk), typed(*ROWS), follow=True)

    assert "Terms 2 are sent." in text_of(response)
    assert versions(job) == ["agreed", "proposed"]


def test_all_that_stands_against_a_change_shows_at_once(job, freelancer, now):
    fund(job, 2, at=now)
    request_release(job, at=now)
    before = world()
    rows = ({**ROWS[0], "title": "Sketches"}, {**ROWS[1], "amount": "2000"})
    response = signed_in(freelancer).post(
        address("propose_terms", job.pk), typed(*rows, message="All I typed")
    )
    said = text_of(response)
    assert "A Release Request for “Design” is open: it stays as it is" in said
    assert "“Build” is Funded: it cannot cost more than $1,000.00." in said
    assert "All I typed" in response.content.decode()
    assert world() == before


def row_of(page: str, place: int) -> str:
    start = page.index(f'aria-label="Milestone {place}"')
    end = page.find('class="formset-row"', start)
    return page[start : end if end > 0 else None]


def test_locks_show_before_anybody_types(job, client_person, freelancer, now):
    page = look(freelancer, "propose_terms", job.pk).content.decode()
    assert "“Design” is Funded: it cannot cost more than $500.00." in row_of(page, 1)
    assert "readonly" not in row_of(page, 1)
    assert 'name="milestones-0-DELETE"' in row_of(page, 1)
    assert "row-lock" not in row_of(page, 2)

    request_release(job, at=now)
    page = look(freelancer, "propose_terms", job.pk).content.decode()
    assert "A Release Request for “Design” is open" in row_of(page, 1)
    assert row_of(page, 1).count("readonly") == 4
    assert 'name="milestones-0-DELETE"' not in row_of(page, 1)

    releases.release(job.pk, numbers=[1], by=client_person, at=now)
    payments.fund(
        job.pk, numbers=[2], method=add_card(client_person, "silent", at=now), by=client_person, at=now
    )  # fmt: skip
    page = look(client_person, "propose_terms", job.pk).content.decode()
    assert "“Design” is released: it stays as it is." in row_of(page, 1)
    assert "A payment for “Build” is under way" in row_of(page, 2)
    assert row_of(page, 2).count("readonly") == 1
    assert 'name="milestones-1-DELETE"' not in row_of(page, 2)


def test_what_a_page_hides_is_refused_and_stays_typed(job, freelancer, now):
    request_release(job, at=now)
    before = world()
    response = signed_in(freelancer).post(
        address("propose_terms", job.pk),
        typed({**ROWS[0], "title": "Sketches", "DELETE": ""}, ROWS[1], message="All I typed"),
    )
    page = response.content.decode()
    assert response.status_code == 200
    assert "A Release Request for “Design” is open: it stays as it is" in page
    assert 'value="Sketches"' in page
    assert "All I typed</textarea>" in page
    assert world() == before


def test_locks_stay_when_another_row_is_asked_for(job, freelancer, now):
    request_release(job, at=now)
    response = signed_in(freelancer).post(
        address("propose_terms", job.pk), typed(*ROWS, add_row="1")
    )
    assert row_of(response.content.decode(), 1).count("readonly") == 4


@pytest.mark.parametrize("number", ["x", "9" * 5000, "-1", "77"])
def test_a_number_that_is_none_is_refused(job, freelancer, number):
    before = world()
    response = signed_in(freelancer).post(
        address("propose_terms", job.pk), typed({**ROWS[0], "number": number}, ROWS[1])
    )
    assert response.status_code == 200
    assert "error-summary" in response.content.decode()
    assert world() == before


# --- Before accepting ---


def test_the_reader_sees_what_accepting_does_to_whose_money(job, client_person, freelancer, now):
    propose(job, freelancer, CHEAPER, replace(SECOND, amount_minor=1_100_00), SPARE, at=now)

    for name, numbers in (("terms", ()), ("accept_terms", (2,))):
        said = text_of(look(client_person, name, job.pk, *numbers))
        assert "Goes back to you at once $100.00" in said
        assert "You are to fund more $350.00" in said
        # 400 + 1,100 + 250 less 8.75 % of each, after 1,368.75
        assert "The Freelancer nets, of the whole Job $228.12 more than now $1,596.87" in said
        assert (
            "Design : $100.00 of the $500.00 held goes back to you at once; $400.00 stays" in said
        )
        assert "Build : Not funded yet: you are to fund $100.00 more." in said
        assert "Spare : New, $250.00, which you are to fund." in said
    page = look(client_person, "accept_terms", job.pk, 2).content.decode()
    assert ">Accept Terms 2: get $100.00 back, fund $350.00 more</button>" in page
    assert "Terms 1 and Terms 2 side by side" in page
    assert '<input type="hidden" name="seen_refund_minor" value="10000"' in page


def test_from_the_other_side(job, client_person, freelancer, now):
    propose(job, client_person, SECOND, at=now)
    page = look(freelancer, "accept_terms", job.pk, 2)
    said = text_of(page)
    assert "Goes back to Clara Client at once $500.00" in said
    assert "Design : Removed. All $500.00 held goes back to Clara Client at once." in said
    assert "The Freelancer nets, of the whole Job $456.25 less than now $912.50" in said
    assert ">Accept Terms 2: Clara Client gets $500.00 back</button>" in page.content.decode()


def test_a_change_that_moves_no_money_says_so(job, client_person, freelancer, now):
    propose(job, freelancer, replace(FIRST, title="Sketches"), SECOND, at=now)
    page = look(client_person, "accept_terms", job.pk, 2)
    assert "No money moves, and nothing more is to be funded." in text_of(page)
    assert ">Accept Terms 2</button>" in page.content.decode()


def test_who_accepts_gets_what_was_shown(job, client_person, freelancer, now):
    propose(job, freelancer, CHEAPER, SECOND, at=now)
    response = signed_in(client_person).post(
        address("accept_terms", job.pk, 2), {"seen_refund_minor": "10000"}, follow=True
    )
    assert response.redirect_chain == [(address("job", job.pk), 302)]
    assert "Terms 2 are in force. $100.00 goes back to you." in text_of(response)
    assert (Refund.objects.get().amount_minor, escrow(job).held_minor) == (100_00, 400_00)


@pytest.mark.parametrize("seen", ["0", "9999", "garbage", ""])
def test_an_old_page_accepts_nothing(job, client_person, freelancer, now, seen):
    propose(job, freelancer, CHEAPER, SECOND, at=now)
    before = world()
    response = signed_in(client_person).post(
        address("accept_terms", job.pk, 2), {"seen_refund_minor": seen}, follow=True
    )
    assert "What these Terms do to the money has changed" in text_of(response)
    assert world() == before


def test_what_does_not_fit_now_offers_no_acceptance(job, client_person, freelancer, now):
    propose(job, freelancer, CHEAPER, SECOND, at=now)
    request_release(job, at=now)

    page = look(client_person, "terms", job.pk)
    assert "These Terms do not fit now" in text_of(page)
    assert "A Release Request for “Design” is open" in text_of(page)
    assert address("accept_terms", job.pk, 2) not in page.content.decode()
    assert address("decline_terms", job.pk, 2) in page.content.decode()
    browser = signed_in(client_person)
    assert browser.get(address("accept_terms", job.pk, 2)).url == address("terms", job.pk)

    response = browser.post(address("accept_terms", job.pk, 2), follow=True)
    assert "Terms 2 do not fit any more and are superseded." in text_of(response)
    assert versions(job) == ["agreed", "superseded"]


def test_a_lapsed_change_leaves_what_is_agreed(client_person, freelancer, now):
    then = now - timedelta(days=8)
    job = agreed(client_person, freelancer, at=then)
    propose(job, freelancer, CHEAPER, SECOND, at=then)

    said = text_of(look(client_person, "terms", job.pk))
    assert "Lapsed" in said
    assert "Client pays $1,500.00" in said
    assert (
        address("accept_terms", job.pk, 2)
        not in look(client_person, "terms", job.pk).content.decode()
    )
    # The form begins with what is agreed.
    page = look(client_person, "propose_terms", job.pk).content.decode()
    assert '<input type="hidden" name="answering" value="1"' in page
    assert 'value="500.00"' in page


def test_declining_and_withdrawing_a_change(job, client_person, freelancer, now):
    propose(job, freelancer, CHEAPER, SECOND, at=now)
    assert "What is agreed stays in force." in text_of(
        look(client_person, "decline_terms", job.pk, 2)
    )
    assert "decline the Job" not in text_of(look(client_person, "decline_terms", job.pk, 2))
    assert "What is agreed stays in force." in text_of(
        look(freelancer, "withdraw_terms", job.pk, 2)
    )
    signed_in(freelancer).post(address("withdraw_terms", job.pk, 2))
    assert versions(job) == ["agreed", "withdrawn"]
    assert "Terms 1" in text_of(look(client_person, "terms", job.pk))


# --- The overview ---


def test_the_overview_of_whom_it_waits_for(job, client_person, freelancer, now):
    propose(job, freelancer, CHEAPER, SECOND, at=now)
    said = text_of(look(client_person, "job", job.pk))
    assert "Frank Freelancer proposes changed Terms." in said
    assert "Review the Terms" in said
    said = text_of(look(freelancer, "job", job.pk))
    assert "You proposed changed Terms Clara Client can answer Terms 2 until" in said
    assert "Review the Terms" not in said
    assert "Changed Terms are open" in text_of(signed_in(client_person).get(address("my_jobs")))


def test_what_was_removed_is_no_part_of_what_is_agreed(job, client_person, freelancer, now):
    propose(job, freelancer, SECOND, at=now)
    terms.accept(job, by=client_person, version=2, at=now)
    said = text_of(look(client_person, "job", job.pk))
    assert "Agreed $1,000.00 Held in escrow $0.00" in said
    assert "Design Removed from the Terms, $500.00 went back to you" in said
    said = text_of(look(freelancer, "job", job.pk))
    assert "Design Removed from the Terms, $500.00 went back to Clara Client" in said
    page = signed_in(client_person).get(address("my_jobs")).content.decode()
    assert "$1,000.00" in page
    assert "$1,500.00" not in page
    report = text_of(look(freelancer, "create_report", job.pk))
    assert "Build" in report
    assert "Design" not in report


def test_a_release_request_comes_before_it(job, client_person, freelancer, now):
    request_release(job, at=now)
    propose(job, freelancer, FIRST, replace(SECOND, amount_minor=900_00), at=now)
    said = text_of(look(client_person, "job", job.pk))
    assert "Frank Freelancer requests release of “Design”" in said
    assert "Frank Freelancer proposes changed Terms Answer Terms 2 until" in said


def test_an_hourly_job(client_person, freelancer, now):
    job = awards.award(
        hourly_draft(client_person, at=now), by=client_person, email=freelancer.email, at=now
    )
    terms.accept(job, by=freelancer, version=1, at=now)
    propose(job, freelancer, at=now, scope="Fridays")
    page = look(client_person, "accept_terms", job.pk, 2)
    assert "Goes back" not in text_of(page)
    signed_in(client_person).post(address("accept_terms", job.pk, 2))
    assert versions(job) == ["superseded", "agreed"]


def test_all_versions_stay_readable(job, client_person, freelancer, now):
    """R2.6; each against the one that it changed."""
    propose(job, freelancer, CHEAPER, SECOND, at=now)
    terms.accept(job, by=client_person, version=2, at=now)
    propose(job, client_person, replace(CHEAPER, amount_minor=300_00), SECOND, at=now, answering=2)
    terms.accept(job, by=freelancer, version=3, at=now)
    for person in (client_person, freelancer):
        said = text_of(look(person, "terms_version", job.pk, 3))
        assert "Terms 2 and Terms 3" in said
        for version in (1, 2):
            assert "$1,000.00" in text_of(look(person, "terms_version", job.pk, version))
    assert standing(job)[0] == (1, "Design", 300_00, "funded", 300_00)


def test_the_price_of_the_pages(client_person, freelancer, now, django_assert_max_num_queries):
    many = tuple(replace(DESIGN, title=f"Part {place}") for place in range(20))
    job = agreed(client_person, freelancer, at=now, milestones=many)
    propose(
        job, freelancer, *(replace(one, number=n) for n, one in enumerate(many[:-1], 1)), at=now
    )
    browser = signed_in(client_person)
    browser.get(address("terms", job.pk))
    for name, numbers, most in (
        ("terms", (), 9),
        ("accept_terms", (2,), 9),
        ("propose_terms", (), 9),
    ):
        with django_assert_max_num_queries(most):
            browser.get(address(name, job.pk, *numbers))
