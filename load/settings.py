"""The settings of the site under load: those of the product, and money that asks often who it is."""

from escrow_site.settings import *  # noqa: F403

ACCOUNT_REAUTHENTICATION_TIMEOUT = 20
