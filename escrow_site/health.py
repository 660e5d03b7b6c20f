"""GET /healthz for load balancers and containers: 200 when this process can serve a page, else 503.

Answered by the outermost middleware, because a probe calls by address and plain HTTP, which ALLOWED_HOSTS and
the redirect to HTTPS would refuse. The broker is not asked: pages work without it.
"""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

PATH = "/healthz"


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path != PATH:
            return self.get_response(request)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            return HttpResponse(
                "the database can't be reached\n", status=503, content_type="text/plain"
            )
        return HttpResponse("ok\n", content_type="text/plain")
