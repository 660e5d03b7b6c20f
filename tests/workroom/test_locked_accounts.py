"""A locked account can do nothing with drafts, awards and Terms (R1.5)."""

from escrow_site.lib.refusals import WrongParty
from jobs.models import Person
from tests.billing.banking import refused
from tests.workroom.agreements import START, awarded, details, draft, terms_input
from workroom.services import awards, drafts, terms


def test_a_locked_account_can_do_nothing(client_person: Person, freelancer: Person) -> None:
    unfinished = draft(client_person)
    job = awarded(client_person, freelancer.email)
    for person in (client_person, freelancer):
        person.is_active = False

    values = {"details": details(), "terms": terms_input(), "at": START}
    for attempt in (
        lambda: drafts.start_draft(by=client_person, **values),
        lambda: drafts.save_draft(unfinished, by=client_person, **values),
        lambda: drafts.discard_draft(unfinished, by=client_person, at=START),
        lambda: awards.award(unfinished, by=client_person, email="new@example.com", at=START),
        lambda: awards.withdraw_award(job, by=client_person, at=START),
        lambda: awards.decline_award(job, by=freelancer, at=START),
        lambda: terms.propose(
            job, by=freelancer, terms=terms_input(scope="More"), answering=1, at=START
        ),
        lambda: terms.accept(job, by=freelancer, version=1, at=START),
        lambda: terms.decline(job, by=freelancer, version=1, at=START),
        lambda: terms.withdraw(job, by=client_person, version=1, at=START),
    ):
        with refused(WrongParty, "This account is locked."):
            attempt()
