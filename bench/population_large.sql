-- Lays down many running Jobs at once, as the services leave them; what is there already stays.
-- Settings of the transaction say how many: bench.jobs (in thousands), bench.people (Clients, and as
-- many Freelancers), bench.every (one Job in so many is due), bench.at (the instant by which it is).
-- Each Job holds the money of its first Milestone, whose release is requested; the second is
-- unfunded, so that the release doesn't end the Job. Triggers and foreign keys are kept by hand.
SET LOCAL session_replication_role = replica;
SET LOCAL work_mem = '256MB';

CREATE TEMP TABLE base ON COMMIT DROP AS
SELECT current_setting('bench.at')::timestamptz AS at,
       (SELECT coalesce(max(id), 0) FROM jobs_person) AS person,
       (SELECT coalesce(max(id), 0) FROM jobs_job) AS job,
       (SELECT coalesce(max(id), 0) FROM jobs_activity) AS activity,
       (SELECT coalesce(max(id), 0) FROM billing_paymentmethod) AS method,
       (SELECT coalesce(max(id), 0) FROM billing_payment) AS payment,
       (SELECT coalesce(max(id), 0) FROM billing_escrow) AS escrow,
       (SELECT coalesce(max(id), 0) FROM billing_account) AS account,
       (SELECT coalesce(max(id), 0) FROM billing_releaserequest) AS request,
       (SELECT max(id) FROM jobs_policy) AS policy,
       (SELECT id FROM billing_account
         WHERE kind = 'cash' AND currency = 'USD' AND gateway = 'simulated') AS cash;

CREATE TEMP TABLE party ON COMMIT DROP AS
SELECT n, base.person + 2 * n - 1 AS client_id, base.person + 2 * n AS freelancer_id,
       base.method + n AS method_id
  FROM base, generate_series(1, current_setting('bench.people')::bigint) AS n;

-- Requests lie in the order in which they were made, as they do in life; their Jobs are older and
-- only roughly in that order: mixed within a thousand. Who works for whom is mixed altogether.
CREATE TEMP TABLE laid ON COMMIT DROP AS
SELECT base.job + job.n AS job_id, client.client_id, client.method_id, freelancer.freelancer_id,
       base.payment + job.n AS payment_id, base.escrow + 2 * job.n - 1 AS escrow_id,
       base.account + 2 * job.n - 1 AS account_id,
       base.request + request.n AS request_id, base.activity + request.n AS activity_id,
       amount.minor AS amount_minor,
       (amount.minor * policy.service_fee_basis_points + 5000) / 10000 AS service_fee_minor,
       is_due, base.cash, policy.id AS policy_id,
       requested_at - interval '5 days' AS began_at, requested_at,
       requested_at + (policy.release_days - policy.overdue_days_before_due) * interval '1 day'
         AS overdue_at,
       requested_at + policy.release_days * interval '1 day' AS due_at,
       timestamptz '2099-12-31 00:00Z' + (1 + policy.dormant_days) * interval '1 day' AS dormant_at
  FROM base
  JOIN jobs_policy AS policy ON policy.id = base.policy
 CROSS JOIN LATERAL (
    SELECT current_setting('bench.jobs')::bigint AS jobs,
           current_setting('bench.people')::bigint AS people,
           current_setting('bench.jobs')::bigint / current_setting('bench.every')::bigint AS due
 ) AS number
 CROSS JOIN LATERAL generate_series(1, number.jobs) AS request(n)
 CROSS JOIN LATERAL (SELECT request.n <= number.due AS is_due) AS due
 CROSS JOIN LATERAL (
    SELECT 1 + (request.n - 1) / 1000 * 1000 + (request.n - 1) * 389 % 1000 AS n) AS job
 CROSS JOIN LATERAL (SELECT 10000 + request.n % 900 * 100 AS minor) AS amount
 -- The last day's worth of what is due; the rest was made in the two weeks before.
 CROSS JOIN LATERAL (
    SELECT base.at - CASE WHEN is_due
        THEN policy.release_days * interval '1 day'
             + interval '1 day' * (number.due - request.n) / number.due
        ELSE interval '14 days' - interval '13 days' * (request.n - number.due) / number.jobs
        END AS requested_at) AS made
  JOIN party AS client ON client.n = 1 + job.n % number.people
  JOIN party AS freelancer ON freelancer.n = 1 + job.n * 7919 % number.people;

INSERT INTO jobs_person
    (id, password, is_superuser, email, name, time_zone, language, billing_address, tax_id,
     is_staff, is_active, joined_at)
SELECT id, '!', false, kind || id || '@bench.example', kind || ' ' || id, 'UTC', 'en',
       id || ' Main Street, Springfield', '', false, true, at
  FROM base, party, LATERAL (VALUES ('large-client', client_id), ('large-freelancer', freelancer_id))
    AS person(kind, id);

INSERT INTO billing_documentseries (issuer_id, last_number) SELECT freelancer_id, 0 FROM party;

INSERT INTO billing_paymentmethod
    (id, person_id, gateway, gateway_reference, brand, last_four, expires_on, added_at,
     authenticated_at)
SELECT method_id, client_id, 'simulated', 'large:' || method_id, 'Visa', '4242', '2100-01-31', at, at
  FROM base, party;

INSERT INTO jobs_job
    (id, title, description, kind, currency, freelancer_email, state, drafted_at, awarded_at,
     activated_at, last_milestone_on, open_ended, last_activity_at,
     last_activity_besides_requests_at, dormant_at, next_due_at, set_aside_reason, client_id,
     freelancer_id, policy_id)
SELECT job_id, 'Job ' || job_id, '', 'fixed_price', 'USD', '', 'active', began_at, began_at,
       began_at, '2099-12-31', false, requested_at, began_at, dormant_at,
       CASE WHEN is_due THEN due_at ELSE overdue_at END, '', client_id, freelancer_id, policy_id
  FROM laid ORDER BY job_id;

INSERT INTO billing_escrow
    (id, job_id, number, position, title, amount_minor, state, times_returned, funded_minor,
     released_minor, refunded_minor, credited_minor, service_fee_minor, processing_fee_minor)
SELECT escrow_id + number - 1, job_id, number, number, 'Milestone ' || number, amount_minor, state,
       0, CASE WHEN number = 1 THEN amount_minor ELSE 0 END, 0, 0, 0, 0, 0
  FROM laid, (VALUES (1, 'funded'), (2, 'unfunded')) AS escrow(number, state)
 ORDER BY escrow_id, number;

INSERT INTO billing_account (id, kind, currency, gateway, escrow_id, balance_minor)
SELECT account_id + number - 1, 'escrow', 'USD', '', escrow_id + number - 1,
       CASE WHEN number = 1 THEN amount_minor ELSE 0 END
  FROM laid, (VALUES (1), (2)) AS escrow(number)
 ORDER BY account_id, number;

INSERT INTO billing_account (id, kind, currency, gateway, person_id, balance_minor)
SELECT (SELECT max(id) FROM billing_account) + n, 'available', 'USD', '', freelancer_id, 0
  FROM party;

INSERT INTO billing_payment
    (id, job_id, payer_id, method_id, gateway, gateway_reference, idempotency_key, amount_minor,
     currency, state, started_at, lapses_at, succeeded_at, failure)
SELECT payment_id, job_id, client_id, method_id, 'simulated', 'large:' || payment_id,
       gen_random_uuid()::text, amount_minor, 'USD', 'succeeded', began_at,
       began_at + interval '7 days', began_at, ''
  FROM laid ORDER BY payment_id;

INSERT INTO billing_allocation (payment_id, escrow_id, amount_minor, live)
SELECT payment_id, escrow_id, amount_minor, true FROM laid ORDER BY payment_id;

INSERT INTO billing_transfer
    (debit_account_id, credit_account_id, amount_minor, code, reference, happened_at, recorded_at)
SELECT cash, account_id, amount_minor, 'fund',
       'payment:' || payment_id || ':escrow:' || escrow_id, began_at, began_at
  FROM laid ORDER BY payment_id;

INSERT INTO billing_releaserequest
    (id, job_id, escrow_id, requested_by_id, requested_at, comments, state, overdue_at,
     auto_release_at, ended_reason, noticed_until)
SELECT request_id, job_id, escrow_id, freelancer_id, requested_at, '',
       CASE WHEN is_due THEN 'overdue' ELSE 'open' END, overdue_at, due_at, '',
       CASE WHEN is_due THEN due_at - interval '1 day' END
  FROM laid ORDER BY request_id;

INSERT INTO billing_proforma
    (request_id, state, amount_minor, service_fee_minor, processing_fee_minor, net_minor,
     issued_at, parties)
SELECT request_id, 'issued', amount_minor, service_fee_minor, 0, amount_minor - service_fee_minor,
       requested_at,
       jsonb_build_object(
         'client', jsonb_build_object(
           'name', client.name, 'email', client.email,
           'billing_address', client.billing_address, 'tax_id', client.tax_id),
         'freelancer', jsonb_build_object(
           'name', freelancer.name, 'email', freelancer.email,
           'billing_address', freelancer.billing_address, 'tax_id', freelancer.tax_id))
  FROM laid
  JOIN jobs_person AS client ON client.id = client_id
  JOIN jobs_person AS freelancer ON freelancer.id = freelancer_id
 ORDER BY request_id;

INSERT INTO jobs_activity
    (id, job_id, kind, actor_kind, actor_id, happened_at, recorded_at, reason, facts)
SELECT activity_id, job_id, 'release_requested', 'person', freelancer_id, requested_at,
       requested_at, '',
       jsonb_build_object('escrow', 'Milestone 1', 'number', 1, 'amount_minor', amount_minor,
                          'request', request_id, 'due_at', due_at)
  FROM laid ORDER BY activity_id;

INSERT INTO jobs_notification
    (activity_id, person_id, address, state, read_at, next_attempt_at, attempts, sent_at, failure)
SELECT activity_id, client_id, '', 'sent', requested_at, requested_at, 1, requested_at, ''
  FROM laid ORDER BY activity_id;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'jobs_person', 'jobs_job', 'jobs_activity', 'billing_paymentmethod', 'billing_payment',
        'billing_escrow', 'billing_account', 'billing_releaserequest'
    ] LOOP
        EXECUTE format(
            'SELECT setval(pg_get_serial_sequence(%L, ''id''), (SELECT max(id) FROM %I))',
            name, name);
    END LOOP;
END $$;
