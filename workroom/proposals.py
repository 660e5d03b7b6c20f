"""What a person proposes, as plain values: details of a Job, Terms, Milestones.

Forms make them, services take them. No rule and no row is made here.
"""

from dataclasses import dataclass, replace
from datetime import date

from jobs.models import Job
from workroom.models import Terms


def tidy(text: str) -> str:
    """A text of several lines as it is kept: one character ends a line."""
    return text.replace("\r\n", "\n").strip()


@dataclass(frozen=True, kw_only=True)
class JobDetails:
    """What a Job is called and how it is paid; ``hourly_rate_minor`` on hourly Jobs only."""

    title: str
    description: str = ""
    kind: str = Job.Kind.FIXED_PRICE
    currency: str = "USD"
    hourly_rate_minor: int | None = None


@dataclass(frozen=True, kw_only=True)
class MilestoneInput:
    """One Milestone; ``number`` names one of an earlier version, None is a new one."""

    title: str
    amount_minor: int
    due_on: date | None = None
    description: str = ""
    number: int | None = None


@dataclass(frozen=True, kw_only=True)
class TermsInput:
    """One version of the Terms, Milestones in their order; no ``ends_on``: to be determined."""

    scope: str
    starts_on: date | None = None
    ends_on: date | None = None
    message: str = ""
    milestones: tuple[MilestoneInput, ...] = ()

    @classmethod
    def of(cls, terms: Terms) -> "TermsInput":
        """The values of a version that there is."""
        return cls(
            scope=terms.scope,
            starts_on=terms.starts_on,
            ends_on=terms.ends_on,
            message=terms.message,
            milestones=tuple(
                MilestoneInput(
                    title=milestone.title,
                    amount_minor=milestone.amount_minor,
                    due_on=milestone.due_on,
                    description=milestone.description,
                    number=milestone.number,
                )
                for milestone in sorted(terms.milestones.all(), key=lambda row: row.position)
            ),
        )

    @property
    def total_minor(self) -> int:
        """The sum over the Milestones, in minor units."""
        return sum(milestone.amount_minor for milestone in self.milestones)

    def tidied(self) -> "TermsInput":
        """The same with texts as they are kept: browsers end lines in two characters."""
        return replace(
            self,
            scope=tidy(self.scope),
            message=tidy(self.message),
            milestones=tuple(
                replace(one, title=one.title.strip(), description=tidy(one.description))
                for one in self.milestones
            ),
        )

    def says_the_same_as(self, other: "TermsInput") -> bool:
        """Whether nothing but the message differs."""
        return replace(self, message="") == replace(other, message="")
