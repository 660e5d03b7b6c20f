-- A payment has arrived (see arrivals.py): it has succeeded, its Escrows are funded, their Funding
-- Requests are closed, and the money is on the Escrows' accounts. Returns how many rows of each were
-- written; a row that was not in the state it was read in is missing, and the caller gives up the
-- transaction. ``= ANY (ARRAY(…))`` as in releases.sql.
WITH arrived AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS given(
        payment_id bigint, gateway text, gateway_reference text, currency text,
        state_before text, state text, succeeded_at timestamptz
    )
), part AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS given(
        escrow_id bigint, amount_minor bigint, state_before text, state text, funded_minor bigint
    )
), payment AS (
    UPDATE public.billing_payment AS payment
       SET state = arrived.state,
           succeeded_at = arrived.succeeded_at,
           gateway_reference = arrived.gateway_reference
      FROM arrived
     WHERE payment.id = arrived.payment_id AND payment.state = arrived.state_before
       AND payment.id = ANY (ARRAY(SELECT payment_id FROM arrived))
    RETURNING payment.id
), escrow AS (
    UPDATE public.billing_escrow AS escrow
       SET state = part.state, funded_minor = part.funded_minor
      FROM part
     WHERE escrow.id = part.escrow_id AND escrow.state = part.state_before
       AND escrow.id = ANY (ARRAY(SELECT escrow_id FROM part))
    RETURNING escrow.id
), request AS (
    UPDATE public.billing_fundingrequest
       SET closed_at = (SELECT succeeded_at FROM arrived)
     WHERE escrow_id = ANY (ARRAY(SELECT escrow_id FROM part)) AND closed_at IS NULL
), transfer AS (
    INSERT INTO public.billing_transfer
        (debit_account_id, credit_account_id, amount_minor, code, reference, happened_at,
         recorded_at)
    SELECT (SELECT id FROM public.billing_account
             WHERE kind = 'cash' AND currency = arrived.currency AND gateway = arrived.gateway),
           held.id, part.amount_minor, 'fund',
           'payment:' || arrived.payment_id || ':escrow:' || part.escrow_id, succeeded_at,
           clock_timestamp()
      FROM arrived
     CROSS JOIN part
      JOIN public.billing_account AS held
        ON held.escrow_id = part.escrow_id
       AND held.escrow_id = ANY (ARRAY(SELECT escrow_id FROM part))
    RETURNING id
)
SELECT (SELECT count(*) FROM payment) AS payments,
       (SELECT count(*) FROM escrow) AS escrows,
       (SELECT count(*) FROM transfer) AS transfers
