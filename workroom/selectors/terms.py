"""Versions of the Terms as pages show them: beside each other, and what they do to the money.

R2.4: before accepting, the reader sees both versions and what the change does to the money.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from difflib import SequenceMatcher
from typing import TypedDict

from billing.services.amounts import NOTHING, Amounts
from escrow_site.lib import display, money, statements, timing
from jobs.models import Job, Person, Policy
from workroom.models import Milestone, Terms
from workroom.proposals import MilestoneInput, TermsInput

TO_BE_DETERMINED = "To be determined"
NOT_SET = "–"
VERSIONS = """
SELECT {terms}, {proposer},
       (SELECT COALESCE(sum(amount_minor), 0)::bigint
          FROM workroom_milestone WHERE terms_id = terms.id) AS total_minor
  FROM workroom_terms AS terms
  JOIN jobs_person AS proposer ON proposer.id = terms.proposed_by_id
 WHERE terms.job_id = %s AND terms.state <> 'draft'
 ORDER BY terms.version DESC
"""
MILESTONES = "SELECT {milestone} FROM workroom_milestone AS milestone WHERE terms_id = ANY(%s)"


class Row(TypedDict):
    """One line of a comparison; ``change`` is same, changed, added or removed."""

    label: str
    old: str | None
    new: str | None
    change: str


@dataclass(frozen=True, kw_only=True)
class MoneyEffect:
    """What a version does to the money: the Client pays gross, the Freelancer nets the rest."""

    amounts: Amounts
    before: Amounts | None
    before_version: int | None
    currency: str

    @property
    def change_minor(self) -> int:
        """How much more (or, below zero, less) the Client pays than before; no before: 0."""
        return self.amounts.gross_minor - self.before.gross_minor if self.before else 0

    @property
    def change_text(self) -> str:
        """The difference in words, empty when there is none."""
        if not self.change_minor:
            return ""
        amount = money.display(abs(self.change_minor), self.currency)
        return f"{amount} {'more' if self.change_minor > 0 else 'less'} than in Terms {self.before_version}"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two versions beside each other; without an old one everything is new."""

    old: Terms | None
    new: Terms
    rows: list[Row]
    effect: MoneyEffect


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The versions of a Job, newest first, and the one that a reader must know."""

    versions: list[Terms]
    standing: Terms
    agreed: Terms | None
    before: Terms | None


def seen_versions(job: Job) -> list[Terms]:
    """All versions that both sides may read, newest first, each with its total."""
    rows = statements.read(VERSIONS, job.pk, terms=Terms, proposer=Person)
    for terms, proposer, total_minor in rows:
        terms.job, terms.proposed_by, terms.total_minor = job, proposer, total_minor
    return [row[0] for row in rows]


def _add_milestones(*versions: Terms | None) -> None:
    """Read the Milestones of some versions; those that are None are skipped."""
    wanted = [terms for terms in versions if terms is not None]
    rows = statements.read(MILESTONES, [terms.pk for terms in wanted], milestone=Milestone)
    for terms in wanted:
        own = [milestone for (milestone,) in rows if milestone.terms_id == terms.pk]
        statements.attach(terms, "milestones", own)


def open_proposal(job: Job, *, at: datetime) -> Terms | None:
    """The change that is proposed on a running Job; the Job itself knows whether there is one."""
    if not job.is_running or job.open_proposal_until is None or job.open_proposal_until <= at:
        return None
    return Terms.objects.of(job).open(at=at).select_related("proposed_by").first()


def standing_version(job: Job, *, at: datetime) -> Terms | None:
    """The open proposal, else the agreed version, else the newest, with its Milestones."""
    shown = shown_on_tab(job, at=at)
    return shown.standing if shown else None


def shown_on_tab(job: Job, reader: Person | None = None, *, at: datetime) -> Shown | None:
    """All versions and the one that stands, for a reader if there is one; None on a Job that was
    never awarded.
    """
    versions = seen_versions(job)
    if not versions:
        return None
    by_state = {one.state: one for one in reversed(versions)}
    agreed, proposed = by_state.get(Terms.State.AGREED), by_state.get(Terms.State.PROPOSED)
    if agreed is not None and proposed is not None and proposed.has_lapsed(at=at):
        proposed = None  # what is agreed stays in force
    standing = proposed or agreed or versions[0]
    before = version_before(standing, versions, reader)
    _add_milestones(standing, before)
    return Shown(versions=versions, standing=standing, agreed=agreed, before=before)


def version_before(
    shown: Terms, versions: list[Terms], reader: Person | None = None
) -> Terms | None:
    """What a version is measured against; versions come newest first.

    What was agreed and would be, or was, changed by it. Before anything is agreed, the other side's: the newest
    that the reader proposed, because what the other side sent and replaced since may never have been
    read. Else the one before.
    """
    earlier = [one for one in versions if one.version < shown.version]
    if agreed := [one for one in earlier if one.was_agreed]:
        return agreed[0]
    own = [one for one in earlier if reader and one.proposed_by_id == reader.pk]
    if reader and shown.proposed_by_id != reader.pk:
        return next(iter(own or earlier), None)
    return next(iter(earlier), None)


def pair(
    job: Job, version: int, *, reader: Person, beside: str = ""
) -> tuple[Terms, Terms | None, list[Terms]]:
    """A version, the one to show beside it, and all versions; raises Terms.DoesNotExist.

    ``beside`` names a version; what names none is as empty: version_before.
    """
    versions = seen_versions(job)
    by_version = {one.version: one for one in versions}
    if version not in by_version:
        raise Terms.DoesNotExist
    shown = by_version.pop(version)
    named = {str(number): one for number, one in by_version.items()}
    other = named.get(beside) or version_before(shown, versions, reader)
    _add_milestones(shown, other)
    return shown, other, versions


def milestones_of(terms: Terms) -> list[Milestone]:
    """The Milestones in the order of the version, from what was fetched with it."""
    return sorted(terms.milestones.all(), key=lambda milestone: milestone.position)


def past_dates(
    terms: Terms | TermsInput, milestones: Iterable[Milestone | MilestoneInput], *, at: datetime
) -> list[str]:
    """What a reader should know before agreeing: dates that have ended already (R10.1: in UTC)."""
    ending = [("The timeline ends", terms.ends_on)]
    days = [*((f"“{one.title}” is due", one.due_on) for one in milestones), *ending]
    return [
        f"{what} {display.day(on)}, which is past."
        for what, on in days
        if on is not None and timing.end_of(on) <= at
    ]


def amounts(terms: Terms, *, policy: Policy) -> Amounts:
    """The total if every Milestone is released whole: fees round per Milestone (R5.2)."""
    total = NOTHING
    for milestone in terms.milestones.all():
        gross_minor = milestone.amount_minor
        total += Amounts(
            gross_minor=gross_minor,
            service_fee_minor=money.share(gross_minor, policy.service_fee_basis_points),
            processing_fee_minor=money.share(gross_minor, policy.processing_fee_basis_points),
        )
    return total


def compare(old: Terms | None, new: Terms, *, job: Job) -> Comparison:
    """The lines of both versions and what the new one does to the money (R2.4).

    Both come with their Milestones; the Job with its Policy.
    """
    policy = job.policy or Policy.objects.current()
    after = amounts(new, policy=policy)
    before = amounts(old, policy=policy) if old else None
    rows = [*_scope_rows(old, new), *_timeline_rows(old, new), *_milestone_rows(old, new, job)]
    if job.kind == Job.Kind.FIXED_PRICE:
        old_total = money.display(before.gross_minor, job.currency) if before else None
        rows.append(_row("Total", old_total, money.display(after.gross_minor, job.currency)))
    effect = MoneyEffect(
        amounts=after,
        before=before,
        before_version=old.version if old else None,
        currency=job.currency,
    )
    return Comparison(old=old, new=new, rows=rows, effect=effect)


def _row(label: str, old: str | None, new: str | None) -> Row:
    if old == new:
        change = "same"
    elif old is None:
        change = "added"
    elif new is None:
        change = "removed"
    else:
        change = "changed"
    return {"label": label, "old": old, "new": new, "change": change}


def _scope_rows(old: Terms | None, new: Terms) -> Iterator[Row]:
    """The scope line by line: lines that stayed together, each changed stretch by itself."""
    if old is None or old.scope == new.scope:
        yield _row("Scope", None if old is None else old.scope, new.scope)
        return
    before, after = old.scope.splitlines(), new.scope.splitlines()
    stretches = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for place, (_, old_from, old_to, new_from, new_to) in enumerate(stretches):
        label = "Scope" if place == 0 else "Scope, continued"
        yield _row(
            label,
            "\n".join(before[old_from:old_to]) if old_to > old_from else None,
            "\n".join(after[new_from:new_to]) if new_to > new_from else None,
        )


def _timeline_rows(old: Terms | None, new: Terms) -> Iterator[Row]:
    for label, name, otherwise in (
        ("Start", "starts_on", NOT_SET),
        ("End", "ends_on", TO_BE_DETERMINED),
    ):
        before = None if old is None else _day_text(getattr(old, name), otherwise)
        yield _row(label, before, _day_text(getattr(new, name), otherwise))


def _day_text(on: date | None, otherwise: str) -> str:
    return display.day(on) if on else otherwise


def _milestone_rows(old: Terms | None, new: Terms, job: Job) -> Iterator[Row]:
    """By number, which is the same in every version: those of the new one, then the removed."""
    before = {one.number: one for one in milestones_of(old)} if old else {}
    after = {one.number: one for one in milestones_of(new)}
    stayed = [number for number in before if number in after]
    if stayed and stayed != list(after)[: len(stayed)]:
        yield _row(
            "Order of Milestones",
            ", ".join(one.title for one in before.values()),
            ", ".join(one.title for one in after.values()),
        )
    removed = [number for number in before if number not in after]
    for number in [*after, *removed]:
        there = [one for one in (before.get(number), after.get(number)) if one is not None]
        renamed = len({one.title for one in there}) > 1
        texts = {one.terms_id: _milestone_text(one, job, renamed=renamed) for one in there}
        yield _row(there[-1].title, texts.get(old.pk) if old else None, texts.get(new.pk))


def _milestone_text(milestone: Milestone, job: Job, *, renamed: bool) -> str:
    lines = [
        money.display(milestone.amount_minor, job.currency),
        f"Due {display.day(milestone.due_on)}" if milestone.due_on else "No due date",
    ]
    if renamed:
        lines.insert(0, milestone.title)
    if milestone.description:
        lines.append(milestone.description)
    return "\n".join(lines)
