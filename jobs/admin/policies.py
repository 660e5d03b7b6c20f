"""Policies at the support desk: a change of the numbers is saved as a new version."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Max, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString

from escrow_site.lib.admin import DeskAdmin, badge, list_url
from escrow_site.lib.templatetags.escrow import basis_points
from jobs.forms.support import PolicyForm
from jobs.models import Policy
from jobs.reauthentication import reauthentication_required
from jobs.services import policies

SECTIONS: dict[str, list[str]] = {
    "Release": ["release_days", "overdue_days_before_due", "warning_days_before_due", "returns_at_most"],
    "Fees, in basis points (875 is 8.75 %)": [
        "service_fee_basis_points", "processing_fee_basis_points", "return_fee_basis_points",
    ],
    "Terms and payments": [
        "proposal_days", "authentication_days", "authentication_reminder_days",
        "cancellation_days", "largest_amount",
    ],
    "Disputes": ["dispute_answer_business_days", "dispute_days_left_at_least", "holidays"],
    "Dormancy": ["dormant_days", "dormant_freelancer_days", "dormant_settlement_days"],
}  # fmt: skip


@admin.register(Policy)
@method_decorator(reauthentication_required("Save a Policy"), name="changeform_view")
class PolicyAdmin(DeskAdmin):
    """Any version can be the beginning of a new one; none is ever changed."""

    form = PolicyForm
    list_display = (
        "version", "standing", "made_at", "jobs", "release_days", "service_fee", "dormant_days",
    )  # fmt: skip
    ordering = ("-version",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A version begins with the numbers of another."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def named_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        head = ["version", "standing", "made_at", "jobs"]
        if self.has_change_permission(request, obj):
            head.append("newest_seen")
        return [
            (None, {"fields": head}),
            *((title, {"fields": names}) for title, names in SECTIONS.items()),
        ]

    def shown_only(self, request: HttpRequest, obj: Any = None) -> set[str]:
        every = super().shown_only(request, obj)
        if not self.has_change_permission(request, obj):
            return every
        return every - {"newest_seen", *policies.NUMBERS}

    # --- What is shown ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        return super().get_queryset(request).annotate(jobs_count=Count("job"))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        newest = Policy.objects.aggregate(newest=Max("version"))["newest"]
        for policy in changelist.result_list:
            policy.is_newest = policy.version == newest
        return changelist

    @admin.display(description="standing")
    def standing(self, policy: Any) -> SafeString:
        is_newest = (
            policy.is_newest if hasattr(policy, "is_newest") else policy == Policy.objects.current()
        )
        return badge("active", "Current") if is_newest else badge("superseded", "Superseded")

    @admin.display(description="service fee", ordering="service_fee_basis_points")
    def service_fee(self, policy: Policy) -> str:
        return basis_points(policy.service_fee_basis_points)

    @admin.display(description="Jobs")
    def jobs(self, policy: Any) -> SafeString:
        url = list_url("jobs_job", policy__id__exact=policy.pk)
        return format_html('<a href="{}">{}</a>', url, policy.jobs_count)

    # --- A new version ---

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        one_button = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), **one_button}
        )

    def save_model(
        self, request: HttpRequest, obj: Policy, form: "ModelForm[Policy]", change: bool
    ) -> None:
        """The version that was opened stays as it is; what follows (the log) is about the new one."""
        made = policies.make_version(obj)
        obj.pk, obj.version, obj.made_at = made.pk, made.version, made.made_at

    def response_change(self, request: HttpRequest, obj: Policy) -> HttpResponse:
        text = (
            f"{obj} is current: Jobs awarded from now on get it. Jobs awarded before keep theirs."
        )
        messages.success(request, text)
        return HttpResponseRedirect(reverse("admin:jobs_policy_changelist"))
