"""What our accounts do differently from allauth's (docs/notices.md).

Confirmed addresses bring the Jobs that were awarded to them; mails go through a worker.
"""

from functools import partial
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context as running
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.contrib.sites.shortcuts import get_current_site
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest
from django.urls import reverse

from escrow_site.lib import timing
from jobs.models import Person
from workroom.selectors.invitations import newest_invited_job
from workroom.services import account_mails, awards


class AccountAdapter(DefaultAccountAdapter):
    """Named in the settings; allauth calls it."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "cannot_remove_primary_email": "You cannot remove your primary e-mail address.",
        "duplicate_email": "This e-mail address is already on your account.",
        "email_password_mismatch": "The e-mail address or the password is not correct.",
        "max_email_addresses": "You cannot add more than %d e-mail addresses.",
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
        """Confirm an address and bind the Jobs that wait for it, both or neither (R1.1)."""
        person = email_address.user
        email = email_address.email
        if Person.objects.filter(email__iexact=email).exclude(pk=person.pk).exists():
            text = (
                f"{email} is the address of another account. Sign in there, or reset its password."
            )
            messages.error(request, text)
            return False
        with transaction.atomic():
            confirmed = super().confirm_email(request, email_address)
            if confirmed:
                awards.bind_jobs(person, email=email, at=timing.now())
        return confirmed

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

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Support agents begin at their desk, as on the first page of the site."""
        if request.user.is_staff:
            return reverse("admin:index")
        return super().get_login_redirect_url(request)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """The same after a sign-up that was confirmed in the same browser."""
        if isinstance(request.user, Person):
            job = newest_invited_job(request.user, email=request.user.email)
            if job is not None:
                return reverse("workroom:job", args=[job.pk])
        return super().get_signup_redirect_url(request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write the mail now, and let a worker send it once the transaction is over."""
        known = {
            "request": running.request,
            "email": email,
            "current_site": get_current_site(running.request),
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            **context,
        }
        message = self.render_mail(template_prefix, email, known)
        transaction.on_commit(partial(account_mails.hand_over, message))
