"""How log lines look: JSON on a server, plain words on one's own terminal. `settings.py` chooses.

**A line on a server says what happened and to which row, never to whom or in which words.** Its text is a constant of
the program; what varies are numbers and the few words in `WORDS`. Everything else is left out, whoever logs it:
arguments of messages, the words of exceptions, addresses of requests. So neither a person's data nor a secret gets into
a log by a slip. docs/operations.md says what is in there; on one's own terminal nothing is left out.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from traceback import extract_tb
from typing import Any

import structlog
from structlog.typing import EventDict

# Keys whose values are words of the program, or ids that it made itself.
WORDS = frozenset({
    "child_task_id", "child_task_name", "difference", "done", "event", "ids", "level", "logger",
    "method", "parent_task_id", "request_id", "set_aside", "task", "task_id", "timestamp", "view",
    "what", "where",
})  # fmt: skip
# Named arguments of Celery's own lines that are: `Task %(name)s[%(id)s] …`.
NAMED = frozenset({"id", "name"})
LEFT_OUT = "…"
# Django says in its own words what it refused or where a page failed, and quotes it.
SAID_OTHERWISE = {"django.security": "request_refused", "django.request": "request_failed"}
# The last net, below all others.
ADDRESS = re.compile(r"[^\s\"'<>,;:()\\]+@[^\s\"'<>,;:()\\]+\.[A-Za-z]+")
FRAMES_AT_MOST = 30


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
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter(as_json=as_json)},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            # Each request has its line already; an error has the place where it happened besides.
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "propagate": False},
            # Timers tick: their tasks are worth a line on a server, not on a terminal.
            "celery.app.trace": {"level": level if as_json else "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "gunicorn.error": {"handlers": [], "propagate": True, "level": level},
            "gunicorn.access": {"handlers": [], "propagate": False},
        },
    }


def formatter(*, as_json: bool) -> dict[str, Any]:
    """The formatter in the words of `logging.config`."""
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": common_steps(as_json=as_json),
        # What was said stays apart from the values in it, for `only_what_is_known`.
        "use_get_message": not as_json,
        "pass_foreign_args": as_json,
        "processors": last_steps(as_json=as_json),
    }


def common_steps(*, as_json: bool) -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
    ]


def last_steps(*, as_json: bool) -> list[Any]:
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_json:
        return [
            remove,
            only_what_is_known,
            structlog.processors.JSONRenderer(ensure_ascii=False),
            without_addresses,
        ]
    plain = structlog.dev.plain_traceback
    return [remove, structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]


# --- What is left out on a server ---


def only_what_is_known(logger: Any, method: str, event: EventDict) -> EventDict:
    """Numbers, and the words of the program."""
    family = ".".join(str(event.get("logger", "")).split(".")[:2])
    text = SAID_OTHERWISE.get(family) or said(
        str(event.get("event", "")), event.pop("positional_args", ())
    )
    known = {key: value for key, value in event.items() if _is_known(key, value)}
    if error := _error_of(event.get("exc_info")):
        known["exception"] = [described(one) for one in _chain(error)]
    return known | {"event": text}


def said(text: str, arguments: Any) -> str:
    """The text of a line with the numbers in it, and without what else it was to hold."""
    if not arguments:
        return text
    try:
        if isinstance(arguments, Mapping):
            return text % {
                name: value if name in NAMED else _harmless(value)
                for name, value in arguments.items()
            }
        return text % tuple(map(_harmless, arguments))
    except (TypeError, ValueError):
        return text


def described(error: BaseException) -> dict[str, Any]:
    """Which error it was and where. Not what it said: that may quote anything."""
    frames = extract_tb(error.__traceback__)[-FRAMES_AT_MOST:]
    about: dict[str, Any] = {
        "error": type(error).__qualname__,
        "where": [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames],
    }
    diagnosis = getattr(error, "diag", None)
    for name in ("sqlstate", "constraint_name"):
        if value := getattr(diagnosis, name, None):
            about[name] = value
    return about


def without_addresses(logger: Any, method: str, line: Any) -> str:
    return ADDRESS.sub(LEFT_OUT, str(line))


def _is_known(key: str, value: Any) -> bool:
    if key == "error":  # the name of its class; others put its words there
        return isinstance(value, str) and value.isidentifier()
    return key in WORDS or (_is_number(value) and key != "exc_info")


def _harmless(value: Any) -> Any:
    if _is_number(value):
        return value
    return type(value).__name__ if isinstance(value, BaseException) else LEFT_OUT


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1]
    return sys.exc_info()[1] if exc_info else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-3:])
