"""The database keeps the ledger's promises, whoever writes the row (docs/money.md).

Plain SQL with schema-qualified names, so that it also holds for a row written by psql and cannot
be switched off by a setting.
"""

from django.db import migrations

KEEP_BALANCES = """
CREATE FUNCTION public.billing_keep_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account_ids bigint[];
BEGIN
    account_ids := ARRAY(
        SELECT debit_account_id FROM posted UNION SELECT credit_account_id FROM posted
    );
    -- In id order, so that two postings that share accounts cannot deadlock.
    PERFORM 1 FROM public.billing_account
      WHERE id = ANY (account_ids) AND kind IN ('escrow', 'available', 'refunding', 'paying_out')
      ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM posted
         WHERE (SELECT currency FROM public.billing_account WHERE id = posted.debit_account_id)
            <> (SELECT currency FROM public.billing_account WHERE id = posted.credit_account_id)
    ) THEN
        RAISE EXCEPTION 'a transfer between two currencies' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE public.billing_account AS account
       SET balance_minor = account.balance_minor + moved.amount_minor
      FROM (
        SELECT account_id, sum(amount_minor) AS amount_minor FROM (
            SELECT credit_account_id AS account_id, amount_minor FROM posted
            UNION ALL
            SELECT debit_account_id, -amount_minor FROM posted
        ) AS side GROUP BY account_id
      ) AS moved
     WHERE account.id = moved.account_id
       AND account.id = ANY (account_ids)
       AND account.kind IN ('escrow', 'available', 'refunding', 'paying_out');
    RETURN NULL;
END $$;
CREATE TRIGGER transfer_keeps_balances AFTER INSERT ON public.billing_transfer
    REFERENCING NEW TABLE AS posted
    FOR EACH STATEMENT EXECUTE FUNCTION public.billing_keep_balances();

CREATE FUNCTION public.billing_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.balance_minor <> 0 THEN
            RAISE EXCEPTION 'an account starts at zero' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an account keeps its kind, currency and owner; its balance moves by transfers'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER account_starts_at_zero BEFORE INSERT ON public.billing_account
    FOR EACH ROW EXECUTE FUNCTION public.billing_guard_account();
CREATE TRIGGER account_balance_moves_by_transfers BEFORE UPDATE ON public.billing_account
    FOR EACH ROW
    WHEN (pg_trigger_depth() = 0 AND OLD.balance_minor IS DISTINCT FROM NEW.balance_minor)
    EXECUTE FUNCTION public.billing_guard_account();
CREATE TRIGGER account_keeps_its_identity BEFORE UPDATE ON public.billing_account
    FOR EACH ROW
    WHEN ((OLD.kind, OLD.currency, OLD.gateway, OLD.person_id, OLD.escrow_id, OLD.payment_id,
           OLD.payout_id)
          IS DISTINCT FROM
          (NEW.kind, NEW.currency, NEW.gateway, NEW.person_id, NEW.escrow_id, NEW.payment_id,
           NEW.payout_id))
    EXECUTE FUNCTION public.billing_guard_account();
"""

UNDO_BALANCES = """
DROP TRIGGER account_keeps_its_identity ON public.billing_account;
DROP TRIGGER account_balance_moves_by_transfers ON public.billing_account;
DROP TRIGGER account_starts_at_zero ON public.billing_account;
DROP FUNCTION public.billing_guard_account();
DROP TRIGGER transfer_keeps_balances ON public.billing_transfer;
DROP FUNCTION public.billing_keep_balances();
"""

NEVER_CHANGING = ("transfer", "release", "document", "closingstatement")

REFUSE_CHANGES = "".join(
    f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE OR DELETE ON public.billing_{table} "
    "FOR EACH ROW EXECUTE FUNCTION public.refuse_change();\n"
    for table in NEVER_CHANGING
)
ALLOW_CHANGES = "".join(
    f"DROP TRIGGER {table}_never_changes ON public.billing_{table};\n" for table in NEVER_CHANGING
)


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_relations"), ("jobs", "0002_history_guards")]
    operations = [
        migrations.RunSQL(KEEP_BALANCES, UNDO_BALANCES),
        migrations.RunSQL(REFUSE_CHANGES, ALLOW_CHANGES),
    ]
