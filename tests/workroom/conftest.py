"""Fixtures that several files of this folder share."""

from tests.mail_server import mail_server, no_broker, worker

__all__ = ["mail_server", "no_broker", "worker"]
