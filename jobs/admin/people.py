"""People at the support desk: the one place where staff edit a row by hand, and only what a profile says.

Addresses are confirmed by their owners alone; superusers decide who is staff.
"""

from typing import Any

from allauth.account import admin as _allauth_admin  # noqa: F401  registers what is replaced below
from allauth.account.models import EmailAddress
from allauth.mfa import admin as _mfa_admin  # noqa: F401  the same
from allauth.mfa.models import Authenticator
from allauth.usersessions import admin as _sessions_admin  # noqa: F401  the same
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from escrow_site.lib import timing
from escrow_site.lib.admin import (
    NOTHING,
    DeskAdmin,
    NarrowedAdmin,
    ReadOnlyAdmin,
    in_utc,
    list_url,
    lists,
)
from escrow_site.lib.refusals import Refusal, refuse_if
from jobs.admin.desk import agent_of
from jobs.forms.support import PersonForm
from jobs.models import AddressChange, Attempt, Person
from jobs.reauthentication import (
    reauthentication_required,
    reauthentication_required_to_read,
)
from jobs.services import accounts

EDITABLE = {"name", "time_zone", "language", "billing_address", "tax_id"}
ONLY_BY_SUPERUSERS = {"is_staff", "groups", "is_superuser"}


def belongs_to(term: str, path: str) -> Q:
    """Rows whose person at ``path`` has this address, be it his first or another one."""
    if "@" not in term:
        return Q(pk__in=[])
    owners = EmailAddress.objects.filter(email__icontains=term).values("user")
    return Q(**{f"{path}__in": owners})


class MaySignInFilter(admin.BooleanFieldListFilter):
    """Named for what it means."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = "can sign in"


# Asked again, as who makes an agent, or takes his place, can confirm his own proposals.
@admin.register(Person)
@method_decorator(reauthentication_required("Change a person"), name="changeform_view")
@method_decorator(reauthentication_required_to_read, name="user_change_password")
class PersonAdmin(DeskAdmin, UserAdmin):
    """Found by name or by any address; the profile can be put right, the account locked with a reason."""

    form = PersonForm
    hidden = ("password", "calendar_token")
    list_display = (
        "email", "name", "time_zone", "may_sign_in", "is_staff", "joined_at", "signed_in_last",
    )  # fmt: skip
    list_filter = (("is_active", MaySignInFilter), "is_staff")
    search_fields = ("email", "name", "tax_id")
    search_help_text = "Name, company, any e-mail address, tax id, or the person's number"
    filter_horizontal = ()

    # --- What may be edited, and by whom ---

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People sign up themselves."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History, money and documents name people for ever."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody but a superuser touches a superuser's account, and nobody a closed one."""
        if obj is not None and obj.closed_at is not None:
            return False
        if obj is not None and obj.is_superuser and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def named_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        account = ["may_sign_in", "joined_at", "signed_in_last"]
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

    # --- Locking ---

    def get_urls(self) -> list[URLPattern]:
        views = {"lock": self.lock_view, "unlock": self.unlock_view}
        own = [
            path(
                f"<int:person_id>/{verb}/",
                self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(view)),
                name=f"jobs_person_{verb}",
            )
            for verb, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        person = context.get("original")
        if person is not None:
            by = agent_of(request)
            context["can_lock"] = accounts.may_lock(person, by=by) is None
            context["can_unlock"] = accounts.may_unlock(person, by=by) is None
        return super().render_change_form(request, context, *args, **options)

    def lock_view(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Lock an account, with a reason."""
        return self._set_lock(request, person_id, is_lock=True)

    def unlock_view(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Unlock it, with a reason."""
        return self._set_lock(request, person_id, is_lock=False)

    def _set_lock(self, request: HttpRequest, person_id: int, *, is_lock: bool) -> HttpResponse:
        person, by = get_object_or_404(Person, pk=person_id), agent_of(request)
        if not (self.has_view_permission(request, person) and by.has_perm(accounts.PERMISSION)):
            raise PermissionDenied
        guard, service, done = (
            (accounts.may_lock, accounts.lock, "Locked")
            if is_lock
            else (accounts.may_unlock, accounts.unlock, "Unlocked")
        )
        reason, refused = request.POST.get("reason", ""), ""
        try:
            refuse_if(guard(person, by=by))
            if request.method == "POST":
                service(person.pk, by=by, at=timing.now(), reason=reason)
                self.log_change(request, person, f"{done}: {reason.strip()}")
                messages.success(request, f"{done}: {person}.")
                return redirect("admin:jobs_person_change", person.pk)
        except Refusal as refusal:
            refused = refusal.message
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Lock the account" if is_lock else "Unlock the account",
            "opts": self.opts,
            "person": person,
            "is_lock": is_lock,
            "reason": reason,
            "refusal": refused,
            "reason_characters": accounts.REASON_AT_MOST,
        }
        return render(request, "admin/jobs/person/lock.html", context)

    # --- What is shown ---

    @admin.display(description="can sign in", boolean=True, ordering="is_active")
    def may_sign_in(self, person: Person) -> bool:
        """Not while the account is locked, and never again once it is closed."""
        return person.is_active

    @admin.display(description="last signed in", ordering="last_login")
    def signed_in_last(self, person: Person) -> SafeString | str:
        return in_utc(person.last_login) or NOTHING

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
        """His company stands in his billing address; bare numbers are those of houses there."""
        found = super().may_mean(term) | belongs_to(term, "pk")
        named = len(term) > 2 and any(sign.isalpha() for sign in term)
        return found | Q(billing_address__icontains=term) if named else found


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


admin.site.unregister(EmailAddress)
admin.site.unregister(Group)
# Secrets and sessions of other people are for nobody's eyes.
admin.site.unregister(Authenticator)
admin.site.unregister(UserSession)


@admin.register(Group)
@method_decorator(reauthentication_required("Change a group of agents"), name="changeform_view")
class GroupOfAgentsAdmin(NarrowedAdmin, GroupAdmin):
    """What agents may do. A group leads to its people, whose secrets must not be found through it."""


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """Whether an address is confirmed. Confirming also brings Jobs (R1.1), so its owner does it."""

    list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified", "primary")
    list_select_related = ("user",)
    search_fields = ("email", "user__email", "user__name")
    search_help_text = "E-mail address or name"


@admin.register(AddressChange)
class AddressChangeAdmin(ReadOnlyAdmin):
    """Who wants, or wanted, another primary address; the present one agrees by its link."""

    list_display = ("person", "from_email", "to_email", "asked_at", "done_at")
    list_select_related = ("person",)
    search_fields = ("from_email", "to_email", "person__name")
    search_help_text = "E-mail address or name"


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """Wrong passwords and codes of the last day, and other things that are counted; whose, is hashed."""

    list_display = ("made_at", "key")
    search_fields = ("key",)
