"""The support desk's pages of Jobs, Disputes, Terms, Status Reports and timesheets, each Job's whole story,
each Dispute's case, and what support does at a party's request."""

from workroom.admin import disputes, interventions, jobs, reports, terms

__all__ = ["disputes", "interventions", "jobs", "reports", "terms"]
