"""The entry point of the web server."""

import os

from django.core.wsgi import get_wsgi_application

from escrow_site.charsets import CharsetGuard
from escrow_site.checks import refuse_dangerous_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "escrow_site.settings")

application = CharsetGuard(get_wsgi_application())
refuse_dangerous_settings()
