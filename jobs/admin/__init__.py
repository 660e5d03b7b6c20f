"""The support desk's pages of people, Policies and history.

Jobs themselves are in ``workroom.admin``, as their pages need the money and the Terms too.
"""

from jobs.admin import heartbeats, history, people, policies

__all__ = ["heartbeats", "history", "people", "policies"]
