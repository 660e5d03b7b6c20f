"""Call-backs of payment providers: verify, store, answer 200. Everything else comes later."""

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.gateways import UnknownGateway
from billing.gateways.base import BadEvent
from billing.services import gateway_events

LARGEST_BODY_BYTES = 256 * 1024


@csrf_exempt
@require_POST
def gateway_webhook(request: HttpRequest, gateway: str) -> HttpResponse:
    """200 for what is stored, also for the second copy; 400 for what the provider did not sign."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY_BYTES:
            return HttpResponse(status=413)
        payload = request.body
    except (RequestDataTooBig, ValueError):
        return HttpResponse(status=413)
    try:
        gateway_events.receive(gateway, payload=payload, headers=request.headers)
    except UnknownGateway:
        raise Http404 from None
    except BadEvent as error:
        return HttpResponse(str(error), status=400, content_type="text/plain")
    return HttpResponse(status=200)
