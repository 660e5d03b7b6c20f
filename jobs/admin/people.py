"""People at the support desk: the one place where staff edit a row by hand, and only what a profile says.

Addresses are confirmed by their owners alone; superusers decide who is staff.
"""

from typing import Any

from allauth.account import admin as _allauth_admin  # noqa: F401  registers what is replaced below
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from escrow_site.lib.admin import DeskAdmin, ReadOnlyAdmin, list_url, lists
from jobs.forms.support import PersonForm
from jobs.models import Person

EDITABLE = {"name", "time_zone", "language", "billing_address", "tax_id", "is_active"}
ONLY_BY_SUPERUSERS = {"is_staff", "groups", "is_superuser"}


def belongs_to(term: str, path: str) -> Q:
    """Rows whose person at ``path`` has this address, be it his first or another one."""
    if "@" not in term:
        return Q(pk__in=[])
    owners = EmailAddress.objects.filter(email__icontains=term).values("user")
    return Q(**{f"{path}__in": owners})


@admin.register(Person)
class PersonAdmin(DeskAdmin, UserAdmin):
    """Found by name or by any address; the profile can be put right, the account locked."""

    form = PersonForm
    list_display = (
        "email", "name", "time_zone", "is_active", "is_staff", "joined_at", "last_login",
    )  # fmt: skip
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name", "tax_id")
    search_help_text = "Name, any e-mail address, tax id, or the person's number"
    filter_horizontal = ()

    # --- What may be edited, and by whom ---

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People sign up themselves."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History, money and documents name people for ever."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody but a superuser touches a superuser's account."""
        if obj is not None and obj.is_superuser and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def named_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        account = ["is_active", "joined_at", "last_login"]
        if _is_superuser(request):
            account.append("password_link")
        profile = ["email", "name", "time_zone", "language", "billing_address", "tax_id"]
        return [
            (None, {"fields": profile}),
            ("Account", {"fields": account}),
            ("Support desk", {"fields": ["is_staff", "groups", "is_superuser"]}),
            ("Belongs to this person", {"fields": ["related"]}),
        ]

    def shown_only(self, request: HttpRequest, obj: Any = None) -> set[str]:
        every = super().shown_only(request, obj)
        if not self.has_change_permission(request, obj):
            return every
        return every - EDITABLE - (ONLY_BY_SUPERUSERS if _is_superuser(request) else set())

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **options)
        form.is_own = obj is not None and obj == request.user
        return form

    def save_model(
        self, request: HttpRequest, obj: Person, form: "ModelForm[Person]", change: bool
    ) -> None:
        """Write what was changed and nothing else: the person may be changing something himself."""
        changed = set(form.changed_data) - {"groups"}
        if changed:
            obj.save(update_fields=changed)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        if not _is_superuser(request):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    # --- What is shown ---

    @admin.display(description="password")
    def password_link(self, person: Person) -> SafeString:
        url = reverse("admin:auth_user_password_change", args=[person.pk])
        return format_html('<a href="{}">Set a password</a>', url)

    @admin.display(description="lists")
    def related(self, person: Person) -> SafeString:
        key = person.pk
        return lists(
            ("Jobs as Client", list_url("jobs_job", client__id__exact=key)),
            ("Jobs as Freelancer", list_url("jobs_job", freelancer__id__exact=key)),
            ("E-mail addresses", list_url("account_emailaddress", user__id__exact=key)),
            ("Cards", list_url("billing_paymentmethod", person__id__exact=key)),
            ("Payments", list_url("billing_payment", payer__id__exact=key)),
            ("Balances", list_url("billing_account", person__id__exact=key)),
            ("Payouts", list_url("billing_payout", person__id__exact=key)),
            ("Documents issued", list_url("billing_document", issuer__id__exact=key)),
            ("Notices", list_url("jobs_notification", person__id__exact=key)),
            ("History", list_url("jobs_activity", actor__id__exact=key)),
        )

    def may_mean(self, term: str) -> Q:
        return super().may_mean(term) | belongs_to(term, "pk")


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


admin.site.unregister(EmailAddress)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """Whether an address is confirmed. Confirming also brings Jobs (R1.1), so its owner does it."""

    list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified", "primary")
    list_select_related = ("user",)
    search_fields = ("email", "user__email", "user__name")
    search_help_text = "E-mail address or name"
