"""What machines ask: /healthz (does this process live), /readyz (can it serve), /metrics (`escrow_site.metrics`).

Answered before everything else, because they call by address and plain HTTP, which ALLOWED_HOSTS and the redirect to
HTTPS would refuse. They answer within seconds and never fail: what is broken is what they are asked about.

*Unready* is only who cannot serve a page: without the database. Everything else is a **warning**, with which a load
balancer goes on: pages work without the broker (a notice waits), what is due is carried out at the next click on its
Job even if no sweep runs, and a late audit or a difference is for people to look at, not a reason to close the site.
"""

import json
from collections.abc import Callable
from datetime import datetime

import psycopg
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from escrow_site import broker, metrics
from escrow_site.lib.timing import real_now
from jobs.models import Heartbeat
from jobs.selectors import heartbeats

PATIENCE_SECONDS = 2
HEARTBEATS = "SELECT name, last_at, facts::text FROM jobs_heartbeat"

# A machine asks every few seconds: its question has a line in the log only when it was not answered well.
ADDRESSES = {"/healthz", "/readyz", "/metrics"}


class HealthMiddleware:
    """Before all that looks at host, protocol or person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        match request.path:
            case "/healthz":
                return HttpResponse("ok\n", content_type="text/plain")
            case "/readyz":
                return readiness()
            case "/metrics" if metrics.are_wanted():
                return metrics.answer(request)
        return self.get_response(request)


def readiness() -> HttpResponse:
    """Each part in one word: that it is, never how or where; 503 for the load balancer to go elsewhere."""
    beats = read_heartbeats()
    parts = {
        "database": "ok" if beats is not None else "away",
        "broker": "ok" if broker.waiting_tasks() is not None else "warning: away",
        **({} if beats is None else timers(beats, at=real_now())),
    }
    ready = beats is not None
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def timers(beats: dict[str, Heartbeat], *, at: datetime) -> dict[str, str]:
    """Whether the sweep and the audit were done lately, and whether the audit was content."""
    audit = beats.get(heartbeats.AUDIT)
    differs = audit is not None and heartbeats.differences_found(audit)
    return {
        "sweep": _age(beats.get(heartbeats.SWEEP), at=at),
        "audit": "warning: differences" if differs else _age(audit, at=at),
    }


def read_heartbeats() -> dict[str, Heartbeat] | None:
    """When the recurring jobs were last done; None when the database cannot be asked.

    Over a connection of its own: those of the pool are waited for when all are busy, which is no failure.
    """
    given = connection.get_connection_params()
    given["connect_timeout"] = PATIENCE_SECONDS
    given["options"] = f"{given.get('options', '')} -c statement_timeout={PATIENCE_SECONDS}s"
    try:
        with psycopg.connect(**given) as asked:
            return {
                name: Heartbeat(name=name, last_at=last_at, facts=json.loads(facts))
                for name, last_at, facts in asked.execute(HEARTBEATS)
            }
    except psycopg.Error:
        return None


def _age(beat: Heartbeat | None, *, at: datetime) -> str:
    if beat is None:
        return "warning: none yet"
    return "warning: late" if heartbeats.is_late(beat, at=at) else "ok"
