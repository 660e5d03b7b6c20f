"""The support desk's pages of Jobs, Terms, Status Reports and timesheets, and each Job's whole story."""

from workroom.admin import jobs, reports, terms

__all__ = ["jobs", "reports", "terms"]
