-- Releases up to 1,000 due requests with everything that the service makes durable for them, in one
-- statement; several of them at once do not wait for each other. Returns how many.
WITH now AS (SELECT %s::timestamptz AS at
), due AS MATERIALIZED (
    SELECT job.id AS job_id, client_id, freelancer_id, policy_id, currency
      FROM floor.jobs_job AS job
     WHERE next_due_at <= (SELECT at FROM now) AND set_aside_at IS NULL
     ORDER BY next_due_at LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
), found AS MATERIALIZED (
    SELECT due.*, escrow.id AS escrow_id, escrow.title, escrow.number AS escrow_number,
           request.id AS request_id, request.requested_at, request.auto_release_at AS due_at,
           pro_forma.id AS pro_forma_id, pro_forma.parties, held.id AS held_id,
           available.id AS available_id, held.balance_minor AS gross_minor,
           ((escrow.released_minor - escrow.credited_minor + held.balance_minor)
             * policy.service_fee_basis_points + 5000) / 10000 - escrow.service_fee_minor
             AS service_fee_minor
      FROM due
      JOIN floor.billing_releaserequest AS request
        ON request.job_id = due.job_id AND request.state IN ('open', 'overdue')
       AND request.auto_release_at <= (SELECT at FROM now)
      JOIN floor.billing_proforma AS pro_forma ON pro_forma.request_id = request.id
      JOIN floor.billing_escrow AS escrow ON escrow.id = request.escrow_id
      JOIN floor.billing_account AS held ON held.escrow_id = escrow.id
      JOIN floor.billing_account AS available
        ON available.person_id = due.freelancer_id AND available.currency = due.currency
       AND available.kind = 'available'
      JOIN public.jobs_policy AS policy ON policy.id = due.policy_id
), counted AS (
    SELECT freelancer_id AS issuer_id, count(*) AS documents FROM found GROUP BY freelancer_id
), series AS (
    UPDATE floor.billing_documentseries AS counter SET last_number = last_number + documents
      FROM counted WHERE counter.issuer_id = counted.issuer_id
    RETURNING counter.issuer_id, last_number - documents AS before
), part AS MATERIALIZED (
    SELECT nextval('floor.billing_release_id_seq') AS release_id,
           nextval('floor.billing_document_id_seq') AS document_id,
           nextval('floor.jobs_activity_id_seq') AS activity_id,
           found.*, gross_minor - service_fee_minor AS net_minor,
           before + row_number() OVER (PARTITION BY issuer_id ORDER BY request_id) AS number,
           '30-day rule: requested ' || to_char(requested_at AT TIME ZONE 'UTC', 'FMDD Mon YYYY HH24:MI')
             || ' UTC, no answer by ' || to_char(due_at AT TIME ZONE 'UTC', 'FMDD Mon YYYY HH24:MI')
             || ' UTC.' AS reason
      FROM found JOIN series ON issuer_id = freelancer_id
), release AS (
    INSERT INTO floor.billing_release
        (id, job_id, escrow_id, request_id, gross_minor, service_fee_minor, processing_fee_minor,
         net_minor, happened_at, reason)
    SELECT release_id, job_id, escrow_id, request_id, gross_minor, service_fee_minor, 0, net_minor,
           due_at, reason
      FROM part
), transfer AS (
    INSERT INTO floor.billing_transfer
        (debit_account_id, credit_account_id, amount_minor, code, reference, happened_at,
         recorded_at)
    SELECT held_id, available_id, net_minor, 'release', 'release:' || release_id || ':net', due_at,
           now()
      FROM part
    UNION ALL
    SELECT held_id, fees.id, service_fee_minor, 'service_fee',
           'release:' || release_id || ':service_fee', due_at, now()
      FROM part
      JOIN floor.billing_account AS fees
        ON fees.kind = 'service_fees' AND fees.currency = part.currency AND fees.gateway = ''
), given AS (
    UPDATE floor.billing_account AS account SET balance_minor = balance_minor - gross_minor
      FROM part WHERE account.id = held_id
), got AS (
    UPDATE floor.billing_account AS account SET balance_minor = balance_minor + net_sum_minor
      FROM (SELECT available_id, sum(net_minor) AS net_sum_minor FROM part GROUP BY available_id)
        AS payee
     WHERE account.id = available_id
), document AS (
    INSERT INTO floor.billing_document
        (id, kind, issuer_id, number, job_id, escrow_id, release_id, pro_forma_id, currency,
         gross_minor, service_fee_minor, processing_fee_minor, net_minor, issued_at, parties)
    SELECT document_id, 'final_invoice', freelancer_id, number, job_id, escrow_id, release_id,
           pro_forma_id, currency, gross_minor, service_fee_minor, 0, net_minor, due_at, parties
      FROM part
), escrow AS (
    UPDATE floor.billing_escrow AS escrow
       SET state = 'released', released_minor = released_minor + gross_minor,
           service_fee_minor = escrow.service_fee_minor + part.service_fee_minor
      FROM part WHERE escrow.id = escrow_id
), request AS (
    UPDATE floor.billing_releaserequest AS request
       SET state = 'released', ended_at = due_at, ended_reason = reason
      FROM part WHERE request.id = request_id
), pro_forma AS (
    UPDATE floor.billing_proforma AS pro_forma SET state = 'invoiced'
      FROM part WHERE pro_forma.id = pro_forma_id
), activity AS (
    INSERT INTO floor.jobs_activity
        (id, job_id, kind, actor_kind, happened_at, recorded_at, reason, facts)
    SELECT activity_id, job_id, 'released', 'timer', due_at, now(), reason,
           jsonb_build_object(
             'escrow', title, 'number', escrow_number, 'amount_minor', gross_minor,
             'service_fee_minor', service_fee_minor, 'processing_fee_minor', 0,
             'net_minor', net_minor, 'document_id', document_id,
             'document', 'INV-' || freelancer_id || '-' || to_char(number, 'FM000000'),
             'rule', '30-day rule', 'requested_at', requested_at, 'due_at', due_at)
      FROM part
), notification AS (
    INSERT INTO floor.jobs_notification
        (activity_id, person_id, address, state, next_attempt_at, attempts, failure)
    SELECT activity_id, reader.id, '', 'queued', now(), 0, ''
      FROM part, LATERAL (VALUES (client_id), (freelancer_id)) AS reader(id)
), next_due AS (
    -- Nothing is held any more, so nothing falls due.
    UPDATE floor.jobs_job AS job SET next_due_at = NULL
      FROM due WHERE job.id = due.job_id
)
SELECT count(*) FROM part
