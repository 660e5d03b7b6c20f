"""The Rules page: public, pinned to a Policy, its examples worked by the code that moves real money."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import ReleaseRequest
from billing.selectors import rules, worked_examples
from billing.services import releases
from jobs.models import Job, Person, Policy
from jobs.services import policies
from tests.billing.steps import request_release, signed_in, text_of
from tests.desk import statements
from tests.scenarios import fund, running_job
from tests.workroom.agreements import awarded, draft

pytestmark = pytest.mark.django_db

# Another value for each column, with which no clock runs backwards.
CHANGES: dict[str, Any] = {
    "release_days": 40,
    "overdue_days_before_due": 12,
    "warning_days_before_due": [7],
    "service_fee_basis_points": 1_000,
    "processing_fee_basis_points": 250,
    "return_fee_basis_points": 100,
    "proposal_days": 9,
    "authentication_days": 8,
    "authentication_reminder_days": [3],
    "returns_at_most": 1,
    "cancellation_days": 6,
    "dispute_answer_business_days": 3,
    "dispute_days_left_at_least": 11,
    "dormant_days": 90,
    "dormant_freelancer_days": 5,
    "dormant_settlement_days": 21,
    "holidays": [date(2026, 12, 25)],
    "largest_amount": 250_000,
}


def new_version(**changes: Any) -> Policy:
    """A Policy that differs from the current one, made as the support desk makes it."""
    numbers = Policy.objects.current()
    for name, value in changes.items():
        setattr(numbers, name, value)
    return policies.make_version(numbers)


def page(version: int | None = None) -> str:
    """The page as anybody reads it, without tags, in one line."""
    url = (
        reverse("workroom:rules_version", args=[version]) if version else reverse("workroom:rules")
    )
    answer = Client().get(url)
    assert answer.status_code == 200
    return text_of(answer)


def prose(text: str) -> str:
    """What stands before the list of all numbers."""
    return re.split(r"All numbers of Policy \d+", text.split("The principle", 2)[2])[0]


# --- The sentences ---


def test_the_sentences_of_the_first_policy() -> None:
    policy = Policy.objects.current()
    said = {name: getattr(rules, name)(policy) for name in SENTENCES}
    assert said == SENTENCES
    text = page()
    assert [name for name, sentence in said.items() if sentence not in text] == []


SENTENCES = {
    "thirty_day_rule_name": "30-day rule",
    "silence_rule": "Money moves because one of you said so. Silence moves money by two rules only: "
    "the 30-day rule and the dormancy rule.",
    "thirty_day_rule": "If nobody answers a Release Request for 30 days, all that is still held for its "
    "Milestone is released to the Freelancer. The final invoice is made, and both are told why.",
    "overdue_rule": "A request that is unanswered after 15 days is Overdue: both are reminded.",
    "warning_rule": "The Client is warned 10, 5, 2 and 1 days before the release: on days 20, 25, 28 and 29.",
    "void_rule": "The Freelancer can void a request that is open or Overdue. Its clock stops, its "
    "pro-forma invoice is kept and marked void, and the money stays held. A later request starts a new 30 days.",
    "changes_rule": "Instead of releasing, the Client can request changes: the Release Request goes "
    "back with a comment and ends as if it had been voided. That is possible 2 times per Milestone; "
    "then the Client releases or opens a Dispute.",
    "cancellation_rule": "Either of you can request cancellation of the Job, with a reason and a "
    "proposal how each held Milestone is split; all goes back to the Client unless the request says "
    "otherwise. The other accepts or declines within 5 days, or the request lapses.",
    "answer_rule": "The other side answers within 2 business days, Monday to Friday in UTC, at the "
    "same time of day. Without an answer the Dispute goes to support, and so it does when either of "
    "you asks for it.",
    "resumed_clock_rule": "Only the side that opened a Dispute can withdraw it. The clock of its "
    "Release Request then goes on with the time it had left, but at least 7 days; that minimum holds "
    "once per request. Whoever withdrew cannot open another Dispute about that request; the other "
    "side can.",
    "sealed_rule": "Each side may also enter a limit under seal: the Freelancer the least, the Client "
    "the most that may go to the Freelancer. If the two meet or cross, the Dispute is settled at "
    "their midpoint, rounded down to the smallest unit for the Freelancer; if not, both learn only "
    "that there is no match. Each side can enter a limit 3 times for one Milestone, once in 24 hours.",
    "sealed_tries_rule": "Each side can enter a limit 3 times for one Milestone, once in 24 hours.",
    "evidence_rule": "A side can add at most 50 files to one Dispute.",
    "proposal_rule": "Proposed Terms that nobody answers within 7 days lapse. If they belong to an award, "
    "the award lapses with them.",
    "largest_amount_rule": "The price of a Milestone is at most 1,000,000 in whole units of its currency: "
    "$1,000,000.00, or ¥1,000,000.",
    "pending_rule": "A Pending payment that is not authenticated within 7 days lapses: nothing is charged, "
    "and the Milestone is unfunded again.",
    "authentication_reminder_rule": "The Client is reminded 4 and 1 days before.",
    "fee_rule": "Of what is released, the platform takes a service fee of 8.75 % and no processing fee. "
    "The rest goes to the Freelancer.",
    "return_fee_rule": "No fee is taken from money that goes back to the Client.",
    "dormant_rule": "A Job that holds Funded money becomes Dormant when nobody has done anything on it for "
    "60 days, counted from the end of its last Milestone date or from its last Activity, whichever is later. "
    "The Client is told on that day, the Dormant Date.",
    "dormant_freelancer_rule": "7 days after the Dormant Date the Freelancer is told.",
    "settlement_rule": "14 days after the Dormant Date the Job is settled. A held Milestone without a "
    "Release Request goes back to the Client at once. One with a Release Request goes to the Freelancer when "
    "the request is 30 days old, or at once if it already is.",
    "restart_rule": "Any Activity other than a Release Request starts the 14 days again. Settlement never "
    "comes earlier than 7 days after the Freelancer was told.",
    "reactivation_rule": "A Dormant Job is active again when the Client releases a Milestone or requests "
    "cancellation, when either of you proposes or accepts changed Terms, or when every "
    "Milestone that holds money has a Release Request. The 60 days then begin anew.",
}


def test_the_sentences_of_another_policy() -> None:
    policy = new_version(**CHANGES)
    assert rules.thirty_day_rule_name(policy) == "40-day rule"
    assert rules.overdue_rule(policy) == (
        "A request that is unanswered after 28 days is Overdue: both are reminded."
    )
    assert rules.warning_rule(policy) == (
        "The Client is warned 7 days before the release: on day 33."
    )
    assert rules.authentication_reminder_rule(policy) == "The Client is reminded 3 days before."
    assert rules.fee_rule(policy) == (
        "Of what is released, the platform takes a service fee of 10 % and a processing fee of "
        "2.5 %. The rest goes to the Freelancer."
    )
    assert rules.return_fee_rule(policy) == (
        "From money that goes back to the Client a processing fee of 1 % is taken."
    )
    assert "within 3 business days, Monday to Friday in UTC less 25 Dec 2026, at" in (
        rules.answer_rule(policy)
    )
    assert rules.restart_rule(policy) == (
        "Any Activity other than a Release Request starts the 21 days again. Settlement never "
        "comes earlier than 16 days after the Freelancer was told."
    )


def test_one_day_is_no_days_and_no_reminder_is_no_sentence() -> None:
    policy = Policy(
        authentication_days=1, authentication_reminder_days=[], warning_days_before_due=[1]
    )
    assert rules.authentication_reminder_rule(policy) == ""
    assert "within 1 day lapses" in rules.pending_rule(policy)
    assert rules.warning_rule(policy) == (
        "The Client is warned 1 day before the release: on day 29."
    )


# --- Every number shows ---


def test_a_change_is_tried_of_every_number() -> None:
    assert sorted(CHANGES) == sorted(policies.NUMBERS)


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_every_number_shows_on_the_page(name: str) -> None:
    before = page(1)
    changed = new_version(**{name: CHANGES[name]})
    assert policies.problems(changed) == {}
    after = page(2)
    assert after != page(1)
    numbers = [rules.numbers_of(Policy.objects.get(version=version)) for version in (1, 2)]
    assert numbers[0] != numbers[1]
    assert prose(after) != prose(before)


# --- The worked examples ---


def test_a_withdrawn_dispute_is_worked_as_r14_8() -> None:
    assert told(worked_examples.withdrawn_dispute(Policy.objects.current())) == [
        "9 Mar 12:00 The Freelancer requests release of “Design”, $500.00.",
        "21 Mar 12:00 The Client opens a Dispute. The clock of the request stops.",
        "24 Mar 12:00 Nobody has answered: the Dispute goes to support.",
        "26 Mar 12:00 The Client withdraws the Dispute: 18 days are left.",
        "13 Apr 12:00 Silence again: “Design” is released.",
    ]
    late = new_version(release_days=40, dispute_days_left_at_least=30)
    assert told(worked_examples.withdrawn_dispute(late))[-2:] == [
        "30 Mar 12:00 The Client withdraws the Dispute: 30 days are left.",
        "29 Apr 12:00 Silence again: “Design” is released.",
    ]


def told(moments: list[worked_examples.Moment]) -> list[str]:
    return [f"{moment.at:%-d %b %H:%M} {moment.text}" for moment in moments]


def test_an_unanswered_request_is_worked_as_r14_1() -> None:
    assert told(worked_examples.unanswered_request(Policy.objects.current())) == [
        "9 Mar 12:00 The Freelancer requests release of “Design”, $500.00.",
        "24 Mar 12:00 The request is Overdue. Both are reminded.",
        "29 Mar 12:00 The Client is warned: 10 days left.",
        "3 Apr 12:00 The Client is warned: 5 days left.",
        "6 Apr 12:00 The Client is warned: 2 days left.",
        "7 Apr 12:00 The Client is warned: 1 day left.",
        "8 Apr 12:00 “Design” is released. Of $500.00 the Freelancer gets $456.25; $43.75 are fees.",
    ]


def test_a_dormant_job_is_worked_as_r14_6() -> None:
    assert told(worked_examples.dormant_job(Policy.objects.current())) == [
        "20 Apr 09:00 The last Activity. Two Milestones are held.",
        "1 May 00:00 The last Milestone date ends.",
        "30 Jun 00:00 The Job is Dormant. The Client is told.",
        "7 Jul 00:00 The Freelancer is told.",
        "10 Jul 12:00 The Freelancer requests release of “Launch”.",
        "14 Jul 00:00 “Website” was never requested. $1,000.00 goes back to the Client, without a fee.",
        "9 Aug 12:00 “Launch” is released. Of $200.00 the Freelancer gets $182.50; $17.50 are fees.",
        "9 Aug 12:00 Nothing is left to do: the Job is completed.",
    ]


def test_the_examples_follow_another_policy() -> None:
    policy = new_version(**CHANGES)
    assert told(worked_examples.unanswered_request(policy)) == [
        "9 Mar 12:00 The Freelancer requests release of “Design”, $500.00.",
        "6 Apr 12:00 The request is Overdue. Both are reminded.",
        "11 Apr 12:00 The Client is warned: 7 days left.",
        "18 Apr 12:00 “Design” is released. Of $500.00 the Freelancer gets $437.50; $62.50 are fees.",
    ]
    assert told(worked_examples.dormant_job(policy))[2:6] == [
        "30 Jul 00:00 The Job is Dormant. The Client is told.",
        "4 Aug 00:00 The Freelancer is told.",
        "12 Aug 00:00 The Freelancer requests release of “Launch”.",
        "20 Aug 00:00 “Website” was never requested. $990.00 goes back to the Client; $10.00 is the fee.",
    ]


def test_the_fees_are_those_of_r14_3() -> None:
    divided = [
        (
            one.currency,
            one.amounts.gross_minor,
            one.amounts.service_fee_minor,
            one.amounts.net_minor,
        )
        for one in worked_examples.fee_examples(Policy.objects.current())
    ]
    assert divided == [
        ("USD", 500_00, 43_75, 456_25),
        ("USD", 33_33, 2_92, 30_41),
        ("JPY", 1_001, 88, 913),
        ("KWD", 10_005, 875, 9_130),
    ]
    for amount in ("$33.33 $2.92 $0.00 $30.41", "¥1,001 ¥88 ¥0 ¥913"):
        assert amount in page()


def test_the_example_is_what_a_real_job_does(client_person: Person, freelancer: Person) -> None:
    """The same request on a real Job has the same instants, and its release the same amounts."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    request = request_release(job, at=worked_examples.REQUESTED_AT)
    moments = worked_examples.unanswered_request(Policy.objects.current())
    row = ReleaseRequest.objects.get(pk=request.pk)
    assert [row.requested_at, row.overdue_at, row.auto_release_at] == [
        moments[0].at, moments[1].at, moments[-1].at,
    ]  # fmt: skip
    (released,) = releases.release(
        job.pk, numbers=[1], by=client_person, at=row.requested_at + timedelta(days=1)
    )
    assert released.amounts.net_minor == 456_25


# --- Where it is, and who may read it ---


def test_the_page_without_a_number_is_the_current_version() -> None:
    new_version(release_days=40)
    assert "Policy 2, current" in page()
    assert "The 40-day rule" in page()
    old = page(1)
    assert "Policy 1, superseded" in old
    assert "The 30-day rule" in old
    assert "These rules are for Jobs that were awarded while Policy 1 was current." in old


def test_the_versions_are_listed_with_the_date_from_which_each_applies() -> None:
    second = new_version(release_days=40)
    listed = page().split("no Job changes its rules under way. ")[1]
    assert listed == (
        f"Policy 2 , current Jobs awarded from {second.made_at:%-d %b %Y, %H:%M} UTC "
        "Policy 1 Jobs awarded from the beginning"
    )


@pytest.mark.parametrize("version", ["0", "2", "99999999999999999999"])
def test_an_unknown_version_does_not_exist(client: Client, version: str) -> None:
    assert client.get(f"/rules/{version}/").status_code == 404


def test_it_cannot_be_posted_to(client: Client) -> None:
    assert client.post("/rules/").status_code == 405
    assert client.post("/rules/1/").status_code == 405


def test_it_is_in_utc_for_everybody(client_person: Person) -> None:
    Person.objects.filter(pk=client_person.pk).update(time_zone="Pacific/Apia")
    browser = signed_in(Person.objects.get(pk=client_person.pk))
    answer = browser.get(reverse("workroom:rules"))
    assert "8 Apr 2026, 12:00 UTC" in text_of(answer)
    assert "Times on this page are in UTC" in answer.content.decode()


def test_the_number_of_statements_does_not_grow(client_person: Person) -> None:
    few = [statements(browser, "/rules/") for browser in (Client(), signed_in(client_person))]
    for days in range(31, 51):
        new_version(release_days=days)
    many = [statements(browser, "/rules/") for browser in (Client(), signed_in(client_person))]
    assert few == many
    assert many[0] == 1


def test_it_is_linked_from_every_page_and_from_sign_up(client: Client) -> None:
    for name in ("jobs:home", "account_signup", "account_login", "workroom:rules"):
        html = client.get(reverse(name)).content.decode()
        main, footer = html.split("</main>")
        assert '<a href="/rules/">Rules</a>' in footer
        if name in ("jobs:home", "account_signup"):
            assert '<a href="/rules/">' in main


def test_a_job_leads_to_its_own_rules(client_person: Person, freelancer: Person) -> None:
    job = awarded(client_person, freelancer.email)
    unawarded = draft(client_person)
    new_version(release_days=40)
    for person in (client_person, freelancer):
        browser = signed_in(person)
        for name in ("job", "terms", "activity", "job_billing", "reports"):
            html = browser.get(reverse(f"workroom:{name}", args=[job.pk])).content.decode()
            assert html.count('<a href="/rules/1/">The rules of this Job</a>') == 2
    assert Job.objects.get(pk=unawarded.pk).policy is None
    html = signed_in(client_person).get(reverse("workroom:draft", args=[unawarded.pk]))
    assert '<a href="/rules/">' in html.content.decode()


SECTIONS = {
    "Terms": "Before accepting, you see both versions side by side",
    "Status Reports and Release Requests": "Instead of releasing, the Client can request changes",
    "Release and fees": "The Client can also release a part.",
    "Refunds": "The service fee on it comes back",
    "Disputes": "A second agent must confirm it before any money moves",
    "Cancellation": "The other accepts or declines within 5 days, or the request lapses.",
}


@pytest.mark.parametrize("section", SECTIONS)
def test_what_can_be_done_when_people_disagree_is_described(section: str) -> None:
    text = page()
    begin = text.index(f"{section} ", text.index("The principle Money moves"))
    assert SECTIONS[section] in text[begin : begin + 4_000]
    assert "cannot be done yet" not in text


def test_without_requests_for_changes_nothing_is_said_of_them() -> None:
    new_version(returns_at_most=0)
    assert "request changes: the Release Request goes back" not in page()
