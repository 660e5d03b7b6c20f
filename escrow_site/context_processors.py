"""What every template may say about the site itself."""

from django.conf import settings
from django.http import HttpRequest

from escrow_site.lib import hosts


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "is_local": settings.LOCAL,
        "desk_url": hosts.desk_url(),
    }
