"""What happens around a database transaction."""

from collections.abc import Callable

from django.db import transaction


def once_after_commit(wake_up: Callable[[], object]) -> None:
    """Call ``wake_up`` once after the transaction commits, however often it was asked for.

    A wake-up that fails (the broker is down) is logged and does not disturb the page: the sweep
    picks up what was left behind.
    """
    waiting = transaction.get_connection().run_on_commit
    if not any(function is wake_up for _, function, _ in waiting):
        transaction.on_commit(wake_up, robust=True)
