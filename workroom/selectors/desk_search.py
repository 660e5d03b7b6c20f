"""What else a caller may say of his Job, as a condition on Jobs: the search of the support desk.

Names, addresses, titles, numbers of papers and references of the gateway are found where each list says so; here is
what only the Job's list looks for. Conditions alone: the list asks them in its one statement.
"""

import re

from django.db.models import Q

from billing.models import Document, Payment, Payout
from billing.selectors.spoken import amount_said
from workroom.models import Milestone

PARTIES = ("client", "freelancer")
ENDS_ALIKE = re.compile(r"(?=.*[0-9])[A-Z0-9]{4,34}")
LEAST_CHARACTERS = 3


def job_said(term: str) -> Q:
    """The Jobs that one of these stands for; none for what is too short to mean one."""
    if len(term) < LEAST_CHARACTERS:
        return Q(pk__in=[])
    return (
        _of_milestone(term)
        | _of_profile(term)
        | _of_payout(term)
        | _of_amount(term)
        | _closed(term)
    )


def _of_milestone(term: str) -> Q:
    """In any version of the Terms: a caller may mean what was never agreed on, or is gone."""
    return Q(pk__in=Milestone.objects.filter(title__icontains=term).values("terms__job"))


def _of_profile(term: str) -> Q:
    """The company stands in the billing address. Bare numbers are those of houses, so they are not looked for there."""
    found = Q(pk__in=[])
    for party in PARTIES:
        found |= Q(**{f"{party}__tax_id__icontains": term}) if len(term) > LEAST_CHARACTERS else Q()
        if any(sign.isalpha() for sign in term):
            found |= Q(**{f"{party}__billing_address__icontains": term})
    return found


def _of_payout(term: str) -> Q:
    """The Jobs of a Freelancer whose bank account ends so, or is this."""
    ending = re.sub(r"[\s.-]", "", term).upper()
    if not ENDS_ALIKE.fullmatch(ending):
        return Q(pk__in=[])
    return Q(freelancer__in=Payout.objects.filter(destination__endswith=ending).values("person"))


def _of_amount(term: str) -> Q:
    """What was charged to a card, or stands on a paper as its whole or its net amount."""
    paid, gross, net = (
        amount_said(term, name) for name in ("amount_minor", "gross_minor", "net_minor")
    )
    if paid is None or gross is None or net is None:
        return Q(pk__in=[])
    return Q(pk__in=Payment.objects.filter(paid).values("job")) | Q(
        pk__in=Document.objects.filter(gross | net).values("job")
    )


def _closed(term: str) -> Q:
    """What papers keep of parties whose accounts are closed: the profile and the Job know it no more."""
    kept = Q(pk__in=[])
    for party in PARTIES:
        said = Q()
        for name, how in (
            ("email", "iexact"), ("tax_id", "iexact"), ("name", "icontains"), ("billing_address", "icontains"),
        ):  # fmt: skip
            said |= Q(**{f"parties__{party}__{name}__{how}": term})
        kept |= said & Q(**{f"job__{party}__closed_at__isnull": False})
    return Q(pk__in=Document.objects.filter(kept).values("job"))
