-- Writes the intent to charge a card: the payment and what part of it is for which Escrow (see
-- payments.py). Returns the id of the payment.
WITH payment AS (
    INSERT INTO public.billing_payment
        (job_id, payer_id, method_id, gateway, gateway_reference, idempotency_key, amount_minor,
         currency, state, started_at, lapses_at, failure)
    SELECT job_id, payer_id, method_id, gateway, gateway_reference, idempotency_key, amount_minor,
           currency, state, started_at, lapses_at, failure
      FROM jsonb_to_recordset(%s::jsonb) AS given(
        job_id bigint, payer_id bigint, method_id bigint, gateway text, gateway_reference text,
        idempotency_key text, amount_minor bigint, currency text, state text,
        started_at timestamptz, lapses_at timestamptz, failure text
      )
    RETURNING id
), allocation AS (
    INSERT INTO public.billing_allocation (payment_id, escrow_id, amount_minor, live)
    SELECT payment.id, part.escrow_id, part.amount_minor, true
      FROM payment,
           jsonb_to_recordset(%s::jsonb) AS part(escrow_id bigint, amount_minor bigint)
)
SELECT id FROM payment
