"""The kinds of Activity about the account of a party; the other side is to understand why nothing happens."""

from jobs.notices import kind

ACCOUNT_LOCKED = kind("account_locked", "locked the account of {person}: the clocks go on")
ACCOUNT_UNLOCKED = kind("account_unlocked", "unlocked the account of {person}")
