WITH turn AS MATERIALIZED (SELECT nextval('floor.release_turn') AS turn
), item AS MATERIALIZED (
    SELECT nextval('floor.billing_release_id_seq') AS release_id,
           nextval('floor.jobs_activity_id_seq') AS activity_id, release_item.*
      FROM floor.release_item JOIN turn USING (turn)
), release AS (
    INSERT INTO floor.billing_release
        (id, job_id, escrow_id, request_id, released_by_id, gross_minor, service_fee_minor,
         processing_fee_minor, net_minor, happened_at, reason)
    SELECT release_id, job_id, escrow_id, request_id, client_id, gross_minor, service_fee_minor, 0,
           net_minor, now(), 'Released by the Client.' FROM item
), transfer AS (
    INSERT INTO floor.billing_transfer
        (debit_account_id, credit_account_id, amount_minor, code, reference, happened_at,
         recorded_at)
    SELECT held_id, available_id, net_minor, 'release', concat_ws(chr(58), 'release', release_id, 'net'), now(),
           now() FROM item
    UNION ALL
    SELECT held_id, fees_id, service_fee_minor, 'service_fee',
           concat_ws(chr(58), 'release', release_id, 'service_fee'), now(), now() FROM item
), given AS (
    UPDATE floor.billing_account AS account SET balance_minor = balance_minor - gross_minor
      FROM item WHERE account.id = held_id
), got AS (
    UPDATE floor.billing_account AS account SET balance_minor = balance_minor + net_minor
      FROM item WHERE account.id = available_id
), series AS (
    UPDATE floor.billing_documentseries AS counter SET last_number = last_number + 1
      FROM item WHERE counter.issuer_id = freelancer_id RETURNING counter.last_number
), document AS (
    INSERT INTO floor.billing_document
        (kind, issuer_id, number, job_id, escrow_id, release_id, pro_forma_id, currency,
         gross_minor, service_fee_minor, processing_fee_minor, net_minor, issued_at, parties)
    SELECT 'final_invoice', freelancer_id, last_number, job_id, escrow_id, release_id,
           pro_forma_id, 'USD', gross_minor, service_fee_minor, 0, net_minor, now(), parties
      FROM item, series
), escrow AS (
    UPDATE floor.billing_escrow AS escrow
       SET state = 'released', released_minor = released_minor + gross_minor,
           service_fee_minor = escrow.service_fee_minor + item.service_fee_minor
      FROM item WHERE escrow.id = escrow_id
), request AS (
    UPDATE floor.billing_releaserequest AS request
       SET state = 'released', ended_at = now(), ended_reason = 'Released by the Client.'
      FROM item WHERE request.id = request_id
), pro_forma AS (
    UPDATE floor.billing_proforma AS pro_forma SET state = 'invoiced'
      FROM item WHERE pro_forma.id = pro_forma_id
), activity AS (
    INSERT INTO floor.jobs_activity
        (id, job_id, kind, actor_kind, actor_id, happened_at, recorded_at, reason, facts)
    SELECT activity_id, job_id, 'released', 'person', client_id, now(), now(),
           'Released by the Client.',
           jsonb_build_object('escrow', 'Milestone 1', 'number', 1, 'net_minor', net_minor,
                              'amount_minor', gross_minor, 'document_id', release_id)
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
