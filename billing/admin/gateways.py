"""What the payment provider told us, and the simulated provider's own books, at the support desk."""

from django.contrib import admin

from billing.models import GatewayEvent, SimulatedCard, SimulatedCharge
from escrow_site.lib.admin import ReadOnlyAdmin, currency_filter, presence_filter


@admin.register(GatewayEvent)
class GatewayEventAdmin(ReadOnlyAdmin):
    """Events as they came; those that wait or failed are worked off by a task."""

    list_display = (
        "event_id",
        "kind",
        "gateway",
        "received_at",
        "handled_at",
        "attempts",
        "failure",
    )
    list_filter = (
        presence_filter("handled_at", "standing", there="Worked off", missing="Waiting"),
        ("received_at", admin.DateFieldListFilter),
    )
    search_fields = ("event_id", "kind", "failure", "body")
    search_help_text = "The gateway’s id of the event, its kind, or a reference that stands in it"


@admin.register(SimulatedCard)
class SimulatedCardAdmin(ReadOnlyAdmin):
    """The simulated bank's cards. What opens a challenge is for the holder alone."""

    hidden = ("challenge",)
    list_display = ("reference", "behaviour", "authenticated")
    list_filter = ("authenticated",)
    search_fields = ("reference", "behaviour")
    search_help_text = "Reference or behaviour"


@admin.register(SimulatedCharge)
class SimulatedChargeAdmin(ReadOnlyAdmin):
    """Charges, refunds and payouts in the simulated bank's books."""

    list_display = ("reference", "kind", "card", "amount_minor", "status", "failure", "made_at")
    list_filter = ("kind", "status", currency_filter("currency"))
    list_select_related = ("card",)
    search_fields = ("reference", "idempotency_key", "card__reference", "failure")
    search_help_text = "Reference, idempotency key, or the card’s reference"
