-- The intent, durable before the bank is asked, and then what the bank's answer brings: the same two
-- commits that the service makes, each as one statement.
WITH turn AS MATERIALIZED (SELECT nextval('floor.fund_turn') AS turn
), item AS MATERIALIZED (
    SELECT nextval('floor.billing_payment_id_seq') AS payment_id, fund_item.*
      FROM floor.fund_item JOIN turn USING (turn)
), payment AS (
    INSERT INTO floor.billing_payment
        (id, job_id, payer_id, method_id, gateway, gateway_reference, idempotency_key,
         amount_minor, currency, state, started_at, lapses_at, failure)
    SELECT payment_id, job_id, client_id, method_id, 'instant', '',
           concat_ws(chr(58), 'key', payment_id),
           amount_minor, 'USD', 'started', now(), now() + interval '7 days', '' FROM item
), allocation AS (
    INSERT INTO floor.billing_allocation (payment_id, escrow_id, amount_minor, live)
    SELECT payment_id, escrow_id, amount_minor, true FROM item
)
SELECT payment_id, turn FROM item \gset
WITH item AS MATERIALIZED (
    SELECT :payment_id::bigint AS payment_id,
           nextval('floor.jobs_activity_id_seq') AS activity_id, fund_item.*
      FROM floor.fund_item WHERE turn = :turn
), payment AS (
    UPDATE floor.billing_payment AS payment
       SET state = 'succeeded', succeeded_at = now(),
           gateway_reference = concat_ws(chr(58), 'charge', payment.id)
      FROM item WHERE payment.id = payment_id
), transfer AS (
    INSERT INTO floor.billing_transfer
        (debit_account_id, credit_account_id, amount_minor, code, reference, happened_at,
         recorded_at)
    SELECT cash_id, held_id, amount_minor, 'fund',
           concat_ws(chr(58), 'payment', payment_id, 'escrow', escrow_id), now(), now() FROM item
), got AS (
    UPDATE floor.billing_account AS account SET balance_minor = balance_minor + amount_minor
      FROM item WHERE account.id = held_id
), escrow AS (
    UPDATE floor.billing_escrow AS escrow
       SET state = 'funded', funded_minor = item.amount_minor
      FROM item WHERE escrow.id = escrow_id
), request AS (
    UPDATE floor.billing_fundingrequest AS request SET closed_at = now()
      FROM item WHERE request.escrow_id = item.escrow_id AND request.closed_at IS NULL
), activity AS (
    INSERT INTO floor.jobs_activity
        (id, job_id, kind, actor_kind, actor_id, happened_at, recorded_at, reason, facts)
    SELECT activity_id, job_id, 'funded', 'person', client_id, now(), now(), '',
           jsonb_build_object('escrow', 'Milestone 3', 'number', 3, 'amount_minor', amount_minor,
                              'payment', payment_id)
      FROM item
), notification AS (
    INSERT INTO floor.jobs_notification
        (activity_id, person_id, address, state, next_attempt_at, attempts, failure)
    SELECT activity_id, reader.id, '', 'queued', now(), 0, ''
      FROM item, LATERAL (VALUES (client_id), (freelancer_id)) AS reader(id)
)
UPDATE floor.jobs_job AS job
   SET last_activity_at = now(), last_activity_besides_requests_at = now(),
       dormant_at = now() + interval '60 days'
  FROM item WHERE job.id = job_id;
