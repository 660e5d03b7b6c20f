"""Addresses of a site that is not local: without those of local mode."""

from django.urls import URLPattern, URLResolver

from escrow_site import urls

urlpatterns: list[URLPattern | URLResolver] = [
    pattern for pattern in urls.urlpatterns if not str(pattern.pattern).startswith("local/")
]
