"""The tables of people and Jobs."""

from jobs.models.activity import Activity
from jobs.models.address_change import AddressChange
from jobs.models.attempt import Attempt
from jobs.models.heartbeat import Heartbeat
from jobs.models.invitation import Invitation
from jobs.models.job import Job
from jobs.models.notification import Notification
from jobs.models.person import Person
from jobs.models.policy import Policy
from jobs.models.stored_file import StoredFile

__all__ = [
    "Activity",
    "AddressChange",
    "Attempt",
    "Heartbeat",
    "Invitation",
    "Job",
    "Notification",
    "Person",
    "Policy",
    "StoredFile",
]
