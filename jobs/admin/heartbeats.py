"""The recurring jobs at the support desk: when each was last done, and how long it took."""

from django.contrib import admin

from escrow_site.lib.admin import ReadOnlyAdmin
from jobs.models import Heartbeat


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """What says that the timers are alive; a late one is an alarm of the operators'."""

    list_display = ("name", "last_at", "took", "runs", "average")
    ordering = ("name",)

    @admin.display(description="took")
    def took(self, heartbeat: Heartbeat) -> str:
        return f"{heartbeat.last_seconds:.2f} s"

    @admin.display(description="on average")
    def average(self, heartbeat: Heartbeat) -> str:
        return f"{heartbeat.seconds_total / heartbeat.runs:.2f} s"
