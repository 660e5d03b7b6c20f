"""Makes the wiring an app of Django, for its system checks and management commands. It has no models."""

from django.apps import AppConfig

from escrow_site import checks


class SiteConfig(AppConfig):
    name = "escrow_site"
    verbose_name = "Site"

    def ready(self) -> None:
        checks.register()
