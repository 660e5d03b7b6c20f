-- Sends held money of locked Jobs back to its source, all in one statement (see refunds.py): Refund,
-- the payment's refunding account where it is missing, transfers, and the new state and sum of the
-- Escrow. The source is the payment that the Escrow was funded by. Returns a row for each Refund; a
-- row that was not in the state it was read in, or has no source, is missing from it, and the caller
-- gives up the transaction. ``= ANY (ARRAY(…))`` as in releases.sql.
WITH part AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('public.billing_refund', 'id')) AS refund_id, given.*
      FROM jsonb_to_recordset(%s::jsonb) AS given(
        place integer, escrow_id bigint, currency text, amount_minor bigint, fee_minor bigint,
        happened_at timestamptz, reason text, refunded_by_id bigint, idempotency_key text,
        held_minor_before bigint, escrow_state_before text, escrow_state text
      )
), escrow AS (
    UPDATE public.billing_escrow AS escrow
       SET state = part.escrow_state,
           refunded_minor = escrow.refunded_minor + part.amount_minor
      FROM part
     WHERE escrow.id = part.escrow_id AND escrow.state = part.escrow_state_before
       AND escrow.funded_minor - escrow.released_minor - escrow.refunded_minor = held_minor_before
       AND escrow.id = ANY (ARRAY(SELECT escrow_id FROM part))
    RETURNING escrow.id
), sourced AS MATERIALIZED (
    SELECT part.*, payment.id AS payment_id, held.id AS held_id
      FROM part
      JOIN escrow ON escrow.id = part.escrow_id
      JOIN public.billing_account AS held
        ON held.escrow_id = part.escrow_id
       AND held.escrow_id = ANY (ARRAY(SELECT escrow_id FROM part))
      JOIN public.billing_allocation AS allocation
        ON allocation.escrow_id = part.escrow_id AND allocation.live
       AND allocation.escrow_id = ANY (ARRAY(SELECT escrow_id FROM part))
      JOIN public.billing_payment AS payment
        ON payment.id = allocation.payment_id AND payment.state = 'succeeded'
), refunding AS (
    -- One for all Escrows of a payment. An update that changes nothing returns what is there already,
    -- even if it was opened after this statement began.
    INSERT INTO public.billing_account (kind, currency, gateway, payment_id, balance_minor)
    SELECT DISTINCT 'refunding', currency, '', payment_id, 0 FROM sourced ORDER BY payment_id
    ON CONFLICT (payment_id) DO UPDATE SET payment_id = EXCLUDED.payment_id
    RETURNING id, payment_id
), refund AS (
    INSERT INTO public.billing_refund
        (id, payment_id, escrow_id, amount_minor, fee_minor, reason, refunded_by_id, state,
         idempotency_key, gateway_reference, started_at)
    SELECT refund_id, payment_id, escrow_id, amount_minor - fee_minor, fee_minor, reason,
           refunded_by_id, 'started', idempotency_key, '', happened_at
      FROM sourced
), transfer AS (
    -- All guarded accounts here (escrow, refunding) belong to the locked Jobs, so no other batch waits
    -- for them, in whatever order this and a release of the same transaction touch theirs.
    INSERT INTO public.billing_transfer
        (debit_account_id, credit_account_id, amount_minor, code, reference, happened_at,
         recorded_at)
    SELECT sourced.held_id, side.account_id, side.amount_minor, side.code,
           'refund:' || refund_id || ':' || side.name, happened_at, clock_timestamp()
      FROM sourced
      JOIN refunding ON refunding.payment_id = sourced.payment_id
     CROSS JOIN LATERAL (VALUES
        ('back', 'refund', sourced.amount_minor - fee_minor, refunding.id),
        ('fee', 'processing_fee', fee_minor,
         (SELECT id FROM public.billing_account
           WHERE kind = 'processing_fees' AND currency = sourced.currency AND gateway = ''))
     ) AS side(name, code, amount_minor, account_id)
     WHERE side.amount_minor > 0
)
SELECT refund_id FROM sourced ORDER BY place
