-- Carries out releases of locked Jobs, all their paperwork in one statement (see releases.py):
-- Release, transfers, final invoice or receipt with its gap-free number, and the new states of
-- Escrow, Release Request and pro-forma. Returns a row for each release; a row that was not in the
-- state it was read in is missing from it, and the caller gives up the transaction. ``last_of_job``:
-- nothing else keeps the Job from completing. ``= ANY (ARRAY(…))`` lets the planner see that a batch
-- is few rows of a large table, so that it goes by the index.
WITH part AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('public.billing_release', 'id')) AS release_id, given.*
      FROM jsonb_to_recordset(%s::jsonb) AS given(
        place integer, job_id bigint, escrow_id bigint, request_id bigint, pro_forma_id bigint,
        released_by_id bigint, payee_id bigint, currency text, gross_minor bigint,
        service_fee_minor bigint, processing_fee_minor bigint, net_minor bigint,
        happened_at timestamptz, reason text, parties jsonb,
        escrow_state text, request_state_before text, request_state text, request_ended_at timestamptz,
        pro_forma_state text
      )
), series AS (
    -- Counters in id order and only here, so that two batches cannot deadlock.
    INSERT INTO public.billing_documentseries AS counter (issuer_id, last_number)
    SELECT payee_id, count(*) FROM part GROUP BY payee_id ORDER BY payee_id
    ON CONFLICT (issuer_id) DO UPDATE SET last_number = counter.last_number + EXCLUDED.last_number
    RETURNING issuer_id, last_number
), numbered AS (
    SELECT part.*,
           series.last_number - count(*) OVER issuer + row_number() OVER (issuer ORDER BY place)
             AS number
      FROM part JOIN series ON series.issuer_id = part.payee_id
    WINDOW issuer AS (PARTITION BY part.payee_id)
), release AS (
    INSERT INTO public.billing_release
        (id, job_id, escrow_id, request_id, released_by_id, gross_minor, service_fee_minor,
         processing_fee_minor, net_minor, happened_at, reason)
    SELECT release_id, job_id, escrow_id, request_id, released_by_id, gross_minor,
           service_fee_minor, processing_fee_minor, net_minor, happened_at, reason
      FROM part
), transfer AS (
    INSERT INTO public.billing_transfer
        (debit_account_id, credit_account_id, amount_minor, code, reference, happened_at,
         recorded_at)
    SELECT held.id, side.account_id, side.amount_minor, side.code,
           'release:' || release_id || ':' || side.name, happened_at, clock_timestamp()
      FROM part
      JOIN public.billing_account AS held
        ON held.escrow_id = part.escrow_id
       AND held.escrow_id = ANY (ARRAY(SELECT escrow_id FROM part))
     CROSS JOIN LATERAL (VALUES
        ('net', 'release', net_minor,
         (SELECT id FROM public.billing_account
           WHERE kind = 'available' AND person_id = payee_id AND currency = part.currency)),
        ('service_fee', 'service_fee', service_fee_minor,
         (SELECT id FROM public.billing_account
           WHERE kind = 'service_fees' AND currency = part.currency AND gateway = '')),
        ('processing_fee', 'processing_fee', processing_fee_minor,
         (SELECT id FROM public.billing_account
           WHERE kind = 'processing_fees' AND currency = part.currency AND gateway = ''))
     ) AS side(name, code, amount_minor, account_id)
     WHERE side.amount_minor > 0
), document AS (
    INSERT INTO public.billing_document
        (kind, issuer_id, number, job_id, escrow_id, release_id, pro_forma_id, currency,
         gross_minor, service_fee_minor, processing_fee_minor, net_minor, issued_at, parties)
    SELECT CASE WHEN pro_forma_id IS NULL THEN 'receipt' ELSE 'final_invoice' END,
           payee_id, number, job_id, escrow_id, release_id, pro_forma_id, currency,
           gross_minor, service_fee_minor, processing_fee_minor, net_minor, happened_at, parties
      FROM numbered
    RETURNING id, release_id
), escrow AS (
    UPDATE public.billing_escrow AS escrow
       SET state = part.escrow_state,
           released_minor = escrow.released_minor + part.gross_minor,
           service_fee_minor = escrow.service_fee_minor + part.service_fee_minor,
           processing_fee_minor = escrow.processing_fee_minor + part.processing_fee_minor
      FROM part
     WHERE escrow.id = part.escrow_id AND escrow.state = 'funded'
       AND escrow.id = ANY (ARRAY(SELECT escrow_id FROM part))
    RETURNING escrow.id
), request AS (
    UPDATE public.billing_releaserequest AS request
       SET state = part.request_state,
           ended_at = part.request_ended_at,
           ended_reason = CASE WHEN part.request_ended_at IS NULL THEN '' ELSE part.reason END
      FROM part
     WHERE request.id = part.request_id AND request.state = part.request_state_before
       AND request.id = ANY (ARRAY(SELECT request_id FROM part))
    RETURNING request.id
), pro_forma AS (
    UPDATE public.billing_proforma AS pro_forma
       SET state = part.pro_forma_state
      FROM part
     WHERE pro_forma.id = part.pro_forma_id AND pro_forma.state = 'issued'
       AND pro_forma.id = ANY (ARRAY(SELECT pro_forma_id FROM part))
    RETURNING pro_forma.id
), unfinished AS (
    SELECT job_id FROM public.billing_escrow
     WHERE job_id = ANY (ARRAY(SELECT job_id FROM part))
       AND state IN ('unfunded', 'pending', 'funded')
       AND id NOT IN (SELECT escrow_id FROM part WHERE escrow_state <> 'funded')
)
SELECT numbered.place, numbered.release_id, numbered.number, document.id AS document_id,
       numbered.job_id NOT IN (SELECT job_id FROM unfinished) AS last_of_job
  FROM numbered
  JOIN document ON document.release_id = numbered.release_id
  JOIN escrow ON escrow.id = numbered.escrow_id
 WHERE (numbered.request_id IS NULL OR numbered.request_id IN (SELECT id FROM request))
   AND (numbered.pro_forma_id IS NULL OR numbered.pro_forma_id IN (SELECT id FROM pro_forma))
 ORDER BY numbered.place
