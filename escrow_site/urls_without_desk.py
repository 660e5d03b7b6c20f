"""The addresses of a host that has no desk (`desk_host`)."""

from escrow_site.urls import handler400, handler500, site_patterns

__all__ = ["handler400", "handler500", "urlpatterns"]

urlpatterns = site_patterns
