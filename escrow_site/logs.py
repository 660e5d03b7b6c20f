"""How log lines look: JSON on a server, plain words on one's own terminal. `settings.py` chooses."""

import re
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict

# Who has such a link is asked for no password: it must not stand in a log.
SECRET_LINK = re.compile(r"(/(?:calendar|invitations)/)[^/\s.]+")


def configure(*, level: str, as_json: bool) -> dict[str, Any]:
    """Sets structlog up and returns Django's LOGGING; both write the same lines."""
    steps = common_steps(as_json=as_json)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *steps,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": steps,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *last_steps(as_json=as_json),
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            # django-structlog has a line for each request already.
            "django.server": {"handlers": [], "propagate": False},
            # Timers tick: their tasks are worth a line on a server, not on a terminal.
            "celery.app.trace": {"level": level if as_json else "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
        },
    }


def common_steps(*, as_json: bool) -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        without_secret_links,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
    ]


def without_secret_links(logger: Any, method: str, event: EventDict) -> EventDict:
    """The address of a request without the secret in it."""
    if isinstance(address := event.get("request"), str):
        event["request"] = SECRET_LINK.sub(r"\1…", address)
    return event


def last_steps(*, as_json: bool) -> list[Any]:
    # Without the local variables of each frame: they hold passwords and people's data.
    without_values = ExceptionDictTransformer(show_locals=False)
    if as_json:
        return [
            structlog.processors.ExceptionRenderer(without_values),
            structlog.processors.JSONRenderer(),
        ]
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]
