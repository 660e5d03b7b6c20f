"""Addresses. Each app names its own; here is only where they hang."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from escrow_site import codes, mailbox, styleguide
from jobs.views import addresses, security
from workroom.admin import desk
from workroom.views import clock

# The admin's own form knows neither the rate limits nor the e-mail confirmation of allauth's.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.index = desk.index  # type: ignore[method-assign]
admin.site.site_header = settings.SITE_NAME
admin.site.site_title = settings.SITE_NAME
admin.site.index_title = "Support desk"
admin.site.enable_nav_sidebar = False  # lists need the width; the header leads to the main ones

handler400 = "escrow_site.errors.bad_request"
handler500 = "escrow_site.errors.server_error"
# All but the desk, which may have a host for itself (`desk_host`).
site_patterns: list[URLPattern | URLResolver] = [
    path("", include("jobs.urls")),
    path("", include("billing.urls")),
    path("", include("workroom.urls")),
    # Pages of allauth's that ours take the place of.
    path("accounts/email/", addresses.addresses, name="account_email"),
    path("accounts/password/change/", security.change_password, name="account_change_password"),
    path("accounts/reauthenticate/", security.reauthenticate, name="account_reauthenticate"),
    path(
        "accounts/2fa/reauthenticate/",
        security.reauthenticate_by_code,
        name="mfa_reauthenticate",
    ),
    path(
        "accounts/2fa/webauthn/reauthenticate/",
        security.reauthenticate_by_passkey,
        name="mfa_reauthenticate_webauthn",
    ),
    path("accounts/2fa/", RedirectView.as_view(pattern_name="jobs:security"), name="mfa_index"),
    path(
        "accounts/2fa/webauthn/",
        RedirectView.as_view(pattern_name="jobs:security"),
        name="mfa_list_webauthn",
    ),
    path(
        "accounts/2fa/webauthn/keys/<int:pk>/remove/",
        security.remove_passkey,
        name="mfa_remove_webauthn",
    ),
    path("accounts/", include("allauth.urls")),
]
if settings.LOCAL:
    site_patterns += [
        path("styleguide/", styleguide.styleguide),
        path("local/clock/", clock.advance_clock, name="local_clock"),
        path("local/mail/", mailbox.index, name="local_mailbox"),
        path("local/codes/", codes.index, name="local_codes"),
        path("local/mail/<str:file_name>/<int:number>/", mailbox.message, name="local_mail"),
    ]
urlpatterns = [*site_patterns, path(settings.ADMIN_PATH, admin.site.urls)]
