"""The one table of who may: every address of the project, what each role meets who looks, and who sends.

It reads like this: the name of the URL; the names of the stage that fill it (tests/authorisation/stage.py); the
door for looking (GET, HEAD); the door for sending (POST), nobody's if there is none; the form that would act if one
were let through. Doors and outcomes are in tests/authorisation/words.py. All other methods are refused to all.

**A new URL needs a row**, here or in the table of its app: test_table.py fails with the line to add. A row of a URL
that is gone fails as well.

That the table can fail was tried out: without ``job__in=Job.objects.seen_by(...)`` in the look-up of a payment, with
``may_void`` allowing the Client, without the permission in the admin's Dispute case and with a file handed out to
whoever is signed in, the test named the row, the role and the method each time.
"""

from tests.authorisation.table_of_billing import BILLING
from tests.authorisation.table_of_desk import DESK_PAGES, MODELS
from tests.authorisation.table_of_workroom import WORKROOM
from tests.authorisation.words import (
    ACTS,
    CLIENT,
    DESK,
    HIDDEN,
    LED_ON,
    OUTSIDE,
    PAGE,
    REFUSED,
    SIGN_IN,
    Row,
    everyone,
    owner,
    parties,
    signed_in,
)
from tests.factories import PASSWORD

NEW_PASSWORD = "a longer horse battery staple"
NOT_SIGNED_IN = dict.fromkeys(OUTSIDE, PAGE)
FOR_DESK = dict.fromkeys(DESK, PAGE)

PEOPLE = [
    Row("jobs:home", "", everyone(LED_ON, anonymous=PAGE, locked=PAGE)),
    Row(
        "jobs:profile", "", signed_in(PAGE), signed_in(ACTS),
        form={"name": "Somebody", "time_zone": "UTC", "language": "en"},
    ),
    Row("jobs:security", "", signed_in(PAGE)),
    Row("jobs:end_session", "999", everyone("no way"), signed_in(HIDDEN)),
    # A link that never was one; the real one is tests/jobs/test_addresses.py.
    Row("jobs:agree_to_address", "nonsense", everyone("410"), everyone("410")),
    Row("jobs:open_calendar", "", everyone("no way"), signed_in(ACTS)),
    Row("jobs:revoke_calendar", "", everyone("no way"), signed_in(ACTS)),
    Row("jobs:notices", "", signed_in(PAGE)),
    Row(
        "jobs:read_notices", "", everyone("no way"),
        signed_in(ACTS), form={"up_to": "999999999"},
    ),
    # To look is to have read it: the one GET that writes.
    Row("jobs:notice", "notice", owner(CLIENT, ACTS)),
    Row("jobs:file", "file", parties(PAGE, **FOR_DESK)),
]  # fmt: skip

ACCOUNTS = [
    Row(
        "account_login", "", signed_in(LED_ON) | NOT_SIGNED_IN,
        signed_in(REFUSED, anonymous=ACTS, locked=ACTS),
        form={"login": "sam@example.com", "password": PASSWORD},
    ),
    Row("account_logout", "", signed_in(PAGE), everyone(SIGN_IN)),
    Row("account_inactive", "", everyone(PAGE)),
    Row("account_signup", "", signed_in(LED_ON) | NOT_SIGNED_IN,
        signed_in(REFUSED, anonymous=ACTS, locked=ACTS),
        form={"name": "Nora", "email": "nora@example.com", "password1": NEW_PASSWORD,
              "time_zone": "UTC"}),
    Row("account_reauthenticate", "", signed_in(PAGE), signed_in(REFUSED),
        form={"password": PASSWORD}),
    Row("account_email", "", signed_in(PAGE), signed_in(ACTS),
        form={"action_add": "", "email": "second@example.com"}),
    Row("account_email_verification_sent", "", everyone(PAGE)),
    Row("account_change_password", "", signed_in(PAGE), signed_in(ACTS),
        form={"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}),
    Row("account_set_password", "", signed_in(LED_ON), signed_in(REFUSED)),
    Row("account_reset_password", "", everyone(PAGE), everyone(REFUSED),
        form={"email": "clara@example.com"}),
    Row("account_reset_password_done", "", everyone(PAGE)),
    Row("account_confirm_login_code", "", signed_in(LED_ON), signed_in(REFUSED)),
    # Whoever has the mail has the link; a further address is confirmed by who is signed in to the account.
    Row("account_confirm_email", "confirmation", everyone(PAGE),
        everyone(REFUSED, client=ACTS, anonymous=SIGN_IN, locked=SIGN_IN)),
    # It was good until its owner signed in.
    Row("account_reset_password_from_key", "uid reset", everyone(LED_ON, client=PAGE, locked=PAGE),
        everyone(REFUSED)),
    Row("account_reset_password_from_key_done", "", everyone(PAGE)),
]  # fmt: skip

# The desk has authenticator apps on this stage, the parties have no second factor; nobody has a passkey.
SECOND_FACTORS = [
    Row("mfa_index", "", everyone(LED_ON), everyone(REFUSED)),
    Row("mfa_list_webauthn", "", everyone(LED_ON), everyone(REFUSED)),
    Row("mfa_authenticate", "", signed_in(LED_ON), signed_in(REFUSED)),
    Row("mfa_reauthenticate", "", signed_in(LED_ON, **FOR_DESK), signed_in(REFUSED)),
    Row("mfa_activate_totp", "", signed_in(PAGE) | dict.fromkeys(DESK, LED_ON), signed_in(REFUSED)),
    Row("mfa_deactivate_totp", "", signed_in(HIDDEN, **FOR_DESK),
        signed_in(HIDDEN) | dict.fromkeys(DESK, REFUSED)),
    Row("mfa_add_webauthn", "", signed_in(PAGE), signed_in(REFUSED)),
    Row("mfa_edit_webauthn", "999", signed_in(HIDDEN), signed_in(HIDDEN)),
    Row("mfa_remove_webauthn", "999", signed_in(HIDDEN), signed_in(HIDDEN)),
    Row("mfa_login_webauthn", "", signed_in(LED_ON), signed_in(REFUSED)),
    Row("mfa_reauthenticate_webauthn", "", signed_in(LED_ON), signed_in(REFUSED)),
    Row("mfa_view_recovery_codes", "", signed_in(HIDDEN), signed_in("no way")),
    Row("mfa_download_recovery_codes", "", signed_in(HIDDEN), signed_in(HIDDEN)),
    Row("mfa_generate_recovery_codes", "", signed_in(PAGE),
        signed_in(REFUSED) | dict.fromkeys(DESK, ACTS)),
    Row("usersessions_list", "", signed_in(PAGE), signed_in(REFUSED)),
]  # fmt: skip

LOCAL_MODE = [
    Row("styleguide/", "", everyone(PAGE)),
    Row("local_clock", "", everyone("no way"), everyone(HIDDEN)),
    Row("local_mailbox", "", everyone(PAGE)),
    Row("local_codes", "", everyone(PAGE)),
    Row("local_mail", "mail.eml 1", everyone(HIDDEN)),
]

# Answered before the URLs are asked.
# /metrics is not even there without its token (tests/house/test_metrics.py).
ASIDE = [
    Row("/healthz", "", everyone(PAGE), everyone(REFUSED), guarded=False),
    Row("/readyz", "", everyone(PAGE), everyone(REFUSED), guarded=False),
]

TABLE = [*PEOPLE, *BILLING, *WORKROOM, *ACCOUNTS, *SECOND_FACTORS, *DESK_PAGES, *LOCAL_MODE, *ASIDE]

__all__ = ["MODELS", "TABLE"]
