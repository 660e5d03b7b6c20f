"""Fixtures that several files of this folder share."""

from tests.mail_server import mail_server, worker

__all__ = ["mail_server", "worker"]
