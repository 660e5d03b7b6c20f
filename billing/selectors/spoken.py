"""What people say on the telephone: "INV 12 7" is INV-12-0007, "$140.00" an amount in some kind of dollars."""

import re
from functools import reduce
from operator import or_

from django.db.models import Q

from billing.models import ClosingStatement, Document, ProForma
from escrow_site.lib import money

NUMBER = r"#?0*(\d{1,12})"
BETWEEN = r"[\s.\-/]+"
PREFIXES = {prefix: kind for kind, prefix in Document.PREFIXES.items()}
DOCUMENT = re.compile(rf"({'|'.join(PREFIXES)})[\s.\-/]*{NUMBER}{BETWEEN}{NUMBER}", re.IGNORECASE)
PRO_FORMA = re.compile(rf"{ProForma.PREFIX}[\s.\-/]*{NUMBER}", re.IGNORECASE)
# An amount has a sign, a code or decimals: a bare number is that of a row.
AMOUNT = re.compile(
    r"([^\d\s.,()+-]{0,3}) ?([\d., ]{1,30}?) ?([A-Z]{3}|[^\w\s.,()+-])?", re.IGNORECASE
)
STATEMENT = re.compile(rf"CS[\s.\-/]*{NUMBER}{BETWEEN}{NUMBER}", re.IGNORECASE)


def document_called(name: str) -> Q | None:
    """The condition on Document for ``INV-12-0007``, ``REC-…``, ``CRN-…``; None if this is no such name."""
    match = DOCUMENT.fullmatch(name.strip())
    if match is None:
        return None
    kind = PREFIXES[match[1].upper()]
    return Q(kind=kind, issuer_id=int(match[2]), number=int(match[3]))


def pro_forma_called(name: str) -> Q | None:
    """The condition on ProForma for ``PF-000088``; None if this is no such name."""
    match = PRO_FORMA.fullmatch(name.strip())
    return Q(request_id=int(match[1])) if match else None


def statement_called(name: str) -> Q | None:
    """The condition on ClosingStatement for ``CS-7-1``; None if this is no such name."""
    match = STATEMENT.fullmatch(name.strip())
    return Q(job_id=int(match[1]), number=int(match[2])) if match else None


def job_of_paper(name: str) -> Q | None:
    """The condition on Job for the name of any of its papers; None if this is no such name."""
    if (document := document_called(name)) is not None:
        return Q(pk__in=Document.objects.filter(document).values("job"))
    if (pro_forma := pro_forma_called(name)) is not None:
        return Q(pk__in=ProForma.objects.filter(pro_forma).values("request__job"))
    if (statement := statement_called(name)) is not None:
        return Q(pk__in=ClosingStatement.objects.filter(statement).values("job"))
    return None


def release_of_paper(name: str) -> Q | None:
    """The condition on Release for the name of an invoice, receipt or pro-forma; None if it is none."""
    if (document := document_called(name)) is not None:
        return Q(pk__in=Document.objects.filter(document).values("release"))
    if (pro_forma := pro_forma_called(name)) is not None:
        return Q(request__pro_forma__in=ProForma.objects.filter(pro_forma))
    return None


def amount_said(term: str, column: str) -> Q | None:
    """The condition that ``column`` is this amount (``$140.00``, ``140.00 EUR``); None if this is no amount."""
    match = AMOUNT.fullmatch(term.strip())
    if match is None:
        return None
    sign, number = (match[1] or match[3] or "").upper(), match[2]
    if not sign and "." not in number:
        return None
    found = [
        Q(**{column: amount_minor}, currency=currency)
        for currency in money.CURRENCIES
        if (amount_minor := _in(currency, number)) is not None
        and (not sign or sign == currency or sign in money.display(amount_minor, currency))
    ]
    return reduce(or_, found) if found else None


def _in(currency: str, number: str) -> int | None:
    """The amount in minor units; None if it is none, or is not written as this currency is."""
    decimals = len(number.partition(".")[2])
    if decimals not in (0, money.digits(currency)):
        return None
    try:
        return money.parse(number, currency)
    except money.BadAmount:
        return None
