"""The tables of the workroom."""

from workroom.models.report import ReportAttachment, ReportLine, StatusReport
from workroom.models.terms import Milestone, Terms
from workroom.models.timesheet import Timesheet, TimesheetEntry

__all__ = [
    "Milestone",
    "ReportAttachment",
    "ReportLine",
    "StatusReport",
    "Terms",
    "Timesheet",
    "TimesheetEntry",
]
