"""What our accounts do differently from allauth's: named in the settings, called by allauth (docs/accounts.md).

Confirmed addresses bring the Jobs that were awarded to them; wrong passwords are counted in the database as well; who
is asked again who he is; how long staff stays signed in; which links lead on, and to where; mails go through a worker.
"""

from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context as running
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import get_ip
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone, translation

from escrow_site.lib import hosts, timing
from escrow_site.lib.web import is_on_this_site
from jobs.models import Person
from jobs.reauthentication import last_shown
from jobs.services import accounts, attempts
from jobs.services.attempts import Limit
from workroom.selectors.invitations import newest_invited_job
from workroom.services import account_mails, awards

WAYS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}


class AccountAdapter(DefaultAccountAdapter):
    """Named in the settings; allauth calls it."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "cannot_remove_primary_email": "You cannot remove your primary e-mail address.",
        "duplicate_email": "This e-mail address is already on your account.",
        "email_password_mismatch": "The e-mail address or the password is not correct.",
        "incorrect_password": "This password is not correct.",
        "max_email_addresses": "You cannot add more than %d e-mail addresses.",
        "rate_limited": "Too many attempts. Wait some minutes, then try again.",
        "too_many_login_attempts": "Too many wrong attempts. Wait some minutes, then try again.",
        "unverified_primary_email": "Confirm your primary e-mail address first.",
    }

    def clean_email(self, email: str) -> str:
        """Refuse what the table can't hold; allauth would cut it off and write to a stranger."""
        MaxLengthValidator(EmailAddress._meta.get_field("email").max_length)(email)
        return super().clean_email(email)

    def save_user(
        self, request: HttpRequest, user: Person, form: BaseForm, commit: bool = True
    ) -> Person:
        """Of two sign-ups with one address in the same moment the second is told what the first is."""
        try:
            with transaction.atomic():
                return super().save_user(request, user, form, commit)
        except IntegrityError as error:
            response = self.respond_email_verification_sent(request, user)
            raise ImmediateHttpResponse(response) from error

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm an address and bind the Jobs that wait for it, both or neither (R1.1).

        A further one only by who is signed in to the account: it must not get the Jobs of somebody who
        clicks on whatever has come from us.
        """
        person = email_address.user
        email = email_address.email
        if Person.objects.filter(email__iexact=email).exclude(pk=person.pk).exists():
            text = (
                f"{email} is the address of another account. Sign in there, or reset its password."
            )
            messages.error(request, text)
            return False
        if _is_further(email_address) and request.user != person:
            text = f"Sign in to the account of {person.email} first, then open the link once more."
            messages.error(request, text)
            return False
        with transaction.atomic():
            confirmed = super().confirm_email(request, email_address)
            if confirmed:
                awards.bind_jobs(person, email=email, at=timing.now())
                self._tell_of_another_address(person, email)
        return confirmed

    def _tell_of_another_address(self, person: Person, email: str) -> None:
        """A further address can reset the password too: the primary one must know of it."""
        if email != person.email:
            self.send_notification_mail(
                "account/email/email_added", person, {"added_email": email}, email=person.email
            )

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        """To the Job that the address brought, through sign-in if need be."""
        person = email_address.user
        job = newest_invited_job(person, email=email_address.email)
        if job is None:
            return super().get_email_verification_redirect_url(email_address)
        url = reverse("workroom:job", args=[job.pk])
        if self.request.user.pk == person.pk:
            return url
        return f"{reverse('account_login')}?{urlencode({'next': url})}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """allauth counts in the cache, which may be away; wrong passwords are counted in the database as well."""
        super().pre_authenticate(request, **credentials)
        for limit, who in _counted(request, credentials):
            if attempts.is_reached(limit, who, at=timing.real_now()):
                raise self.validation_error("too_many_login_attempts")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        for limit, who in _counted(request, credentials):
            attempts.note(limit, who, at=timing.real_now())

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """allauth counts per host name, which the caller chooses, and lets a stranger shut out an address."""
        return _from_where(request, credentials.get("email", ""))

    def reauthenticate(self, user: Person, password: str) -> bool:
        """Counted for the person alone: strangers who try his address at the door must not freeze his money."""
        try:
            return accounts.knows_password(user, password, at=timing.real_now())
        except accounts.TooManyWrong as refusal:
            raise self.validation_error("too_many_login_attempts") from refusal

    def set_password(self, user: Person, password: str) -> None:
        """A new password begins to be counted anew, and asks every other browser for it."""
        super().set_password(user, password)
        attempts.forget(attempts.WRONG_OWN_PASSWORDS, user.pk)
        for email in EmailAddress.objects.filter(user=user).values_list("email", flat=True):
            for limit, who in _counted(self.request, {"email": email}):
                attempts.forget(limit, who)

    def is_reauthentication_required(self, *, app: str | None = None) -> bool:
        """Who signed in just now has just shown who he is: asking him at once again teaches to type passwords."""
        return super().is_reauthentication_required(app=app) and not _signed_in_just_now(
            self.request
        )

    def is_safe_url(self, url: str | None) -> bool:
        """Where a sign-in may lead on to."""
        return bool(url) and is_on_this_site(str(url))

    def get_reauthentication_methods(self, user: Person | AnonymousUser) -> list[dict[str, str]]:
        """allauth's ways, in our words."""
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        return [{**one, "description": WAYS[one["id"]]} for one in methods]

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Support agents begin at their desk, where this host has one: a form leads to no other host."""
        if request.user.is_staff and hosts.has_desk(request):
            return reverse("admin:index")
        return super().get_login_redirect_url(request)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """The same after a sign-up that was confirmed in the same browser."""
        if isinstance(request.user, Person):
            job = newest_invited_job(request.user, email=request.user.email)
            if job is not None:
                return reverse("workroom:job", args=[job.pk])
        return super().get_signup_redirect_url(request)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: Person,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """In its reader's language and time zone, in whosever request, or in none: a bank's answer is nobody's."""
        facts = {"timestamp": timing.real_now(), **(context or {})}
        if self.request is not None:
            facts["ip"] = self.get_client_ip(self.request)
            facts["user_agent"] = self.get_http_user_agent(self.request)
        with translation.override(user.language), timezone.override(user.time_zone):
            self.send_mail(template_prefix, email or user.email, facts)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write the mail now, and let a worker send it once the transaction is over."""
        known = {
            "request": running.request,
            "email": email,
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            **{name: _on_this_site(value) for name, value in context.items()},
        }
        message = self.render_mail(template_prefix, email, known)
        transaction.on_commit(partial(account_mails.hand_over, message))


def _is_further(address: EmailAddress) -> bool:
    """Whether the account has another address already."""
    return address.email.lower() != address.user.email.lower()


def _counted(request: HttpRequest, credentials: dict[str, Any]) -> list[tuple[Limit, str]]:
    """What a wrong password counts for."""
    email = credentials.get("email", "")
    return [
        (attempts.WRONG_PASSWORDS, _from_where(request, email)),
        (attempts.WRONG_PASSWORDS_ANYWHERE, email),
    ]


def _from_where(request: HttpRequest, email: str) -> str:
    return f"{get_ip(request)} {email.lower()}"


def _on_this_site(value: Any) -> Any:
    """A link as it must stand in a mail: to SITE_URL, whatever name the caller knows this host by."""
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        return value
    _, _, *rest = urlsplit(value)
    return settings.SITE_URL + urlunsplit(("", "", *rest))


def _signed_in_just_now(request: HttpRequest) -> bool:
    """Within the same time for which a repeated password counts; a reset by mail is no sign-in."""
    age = timing.real_now().timestamp() - last_shown(request)
    return age < account_settings.REAUTHENTICATION_TIMEOUT
