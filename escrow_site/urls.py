"""Addresses. Each app names its own; here is only where they hang."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from escrow_site import mailbox, styleguide
from workroom.views import clock

# The admin's own form knows neither the rate limits nor the e-mail confirmation of allauth's.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = settings.SITE_NAME
admin.site.site_title = settings.SITE_NAME
admin.site.index_title = "Support desk"
admin.site.enable_nav_sidebar = False  # lists need the width; the header leads to the main ones

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("jobs.urls")),
    path("", include("billing.urls")),
    path("", include("workroom.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
if settings.LOCAL:
    urlpatterns += [
        path("styleguide/", styleguide.styleguide),
        path("local/clock/", clock.advance_clock, name="local_clock"),
        path("local/mail/", mailbox.index, name="local_mailbox"),
        path("local/mail/<str:file_name>/<int:number>/", mailbox.message, name="local_mail"),
    ]
