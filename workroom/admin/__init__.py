"""The support desk's pages of Jobs, Disputes, Terms, Status Reports and timesheets, each Job's whole story,
and each Dispute's case."""

from workroom.admin import disputes, jobs, reports, terms

__all__ = ["disputes", "jobs", "reports", "terms"]
