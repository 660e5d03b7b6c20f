-- The same rows and the same indexes in a schema of their own; no foreign keys, triggers or checks.
DROP SCHEMA IF EXISTS floor CASCADE;
CREATE SCHEMA floor;
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'jobs_job', 'jobs_activity', 'jobs_notification', 'billing_account', 'billing_transfer',
        'billing_escrow', 'billing_releaserequest', 'billing_proforma', 'billing_release',
        'billing_document', 'billing_documentseries', 'billing_payment', 'billing_allocation',
        'billing_fundingrequest'
    ] LOOP
        EXECUTE format(
            'CREATE TABLE floor.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING IDENTITY '
            'INCLUDING INDEXES)', name, name);
        EXECUTE format('INSERT INTO floor.%I SELECT * FROM public.%I', name, name);
        EXECUTE format(
            'SELECT setval(pg_get_serial_sequence(%L, ''id''), (SELECT coalesce(max(id), 0) + 1 '
            'FROM floor.%I))', 'floor.' || name, name);
    END LOOP;
END $$;

-- One row of work for each turn, with everything that a caller would hand over ready made.
CREATE SEQUENCE floor.release_turn;
CREATE TABLE floor.release_item AS
SELECT row_number() OVER (ORDER BY request.id) AS turn, request.id AS request_id,
       request.escrow_id, request.job_id, pro_forma.id AS pro_forma_id, job.client_id,
       job.freelancer_id, pro_forma.amount_minor AS gross_minor, pro_forma.service_fee_minor,
       pro_forma.net_minor, pro_forma.parties, held.id AS held_id, available.id AS available_id,
       fees.id AS fees_id
  FROM floor.billing_releaserequest AS request
  JOIN floor.billing_proforma AS pro_forma ON pro_forma.request_id = request.id
  JOIN floor.jobs_job AS job ON job.id = request.job_id
  JOIN floor.billing_account AS held ON held.escrow_id = request.escrow_id
  JOIN floor.billing_account AS available
    ON available.person_id = job.freelancer_id AND available.kind = 'available'
  JOIN floor.billing_account AS fees ON fees.kind = 'service_fees' AND fees.currency = 'USD';
CREATE UNIQUE INDEX ON floor.release_item (turn);

CREATE SEQUENCE floor.fund_turn;
CREATE TABLE floor.fund_item AS
SELECT row_number() OVER (ORDER BY escrow.id) AS turn, escrow.id AS escrow_id, escrow.job_id,
       job.client_id, job.freelancer_id, method.id AS method_id, escrow.amount_minor,
       held.id AS held_id, cash.id AS cash_id
  FROM floor.billing_escrow AS escrow
  JOIN floor.jobs_job AS job ON job.id = escrow.job_id
  JOIN public.billing_paymentmethod AS method
    ON method.person_id = job.client_id AND method.gateway = 'instant'
  JOIN floor.billing_account AS held ON held.escrow_id = escrow.id
  JOIN floor.billing_account AS cash
    ON cash.kind = 'cash' AND cash.currency = 'USD' AND cash.gateway = 'instant'
 WHERE escrow.state = 'unfunded';
CREATE UNIQUE INDEX ON floor.fund_item (turn);

-- The floor of one commit takes the second half of the rows.
CREATE SEQUENCE floor.fund_turn_in_one_commit;
SELECT setval('floor.fund_turn_in_one_commit', (SELECT count(*) / 2 FROM floor.fund_item));
