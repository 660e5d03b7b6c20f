-- Writes history rows, one notice per reader, and the clocks of the Jobs: one statement per
-- transaction, whatever the number of rows. The ids are taken first, so that notices can name them.
-- The notices of an entry are written in the order of its readers: the Client's is the first.
WITH entry AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('public.jobs_activity', 'id')) AS id, given.*
      FROM jsonb_to_recordset(%s::jsonb) AS given(
        job_id bigint, kind text, actor_kind text, actor_id bigint, happened_at timestamptz,
        reason text, facts jsonb, readers jsonb
      )
), history AS (
    INSERT INTO public.jobs_activity
        (id, job_id, kind, actor_kind, actor_id, happened_at, recorded_at, reason, facts)
    SELECT id, job_id, kind, actor_kind, actor_id, happened_at, clock_timestamp(), reason, facts
      FROM entry
), notices AS (
    INSERT INTO public.jobs_notification
        (activity_id, person_id, address, state, next_attempt_at, attempts, failure)
    SELECT entry.id, reader.person_id, reader.address, 'queued', clock_timestamp(), 0, ''
      FROM entry,
           ROWS FROM (jsonb_to_recordset(entry.readers) AS (person_id bigint, address text))
           WITH ORDINALITY AS reader(person_id, address, place)
     WHERE NOT EXISTS (  -- who has closed his account is told nothing any more
        SELECT FROM public.jobs_person AS person
         WHERE person.id = reader.person_id AND person.closed_at IS NOT NULL
     )
     ORDER BY entry.id, reader.place
)
UPDATE public.jobs_job AS job
   SET last_activity_at = clock.last_activity_at,
       last_activity_besides_requests_at = clock.last_activity_besides_requests_at,
       dormant_at = clock.dormant_at,
       freelancer_told_dormant_at = clock.freelancer_told_dormant_at,
       next_due_at = clock.next_due_at
  FROM jsonb_to_recordset(%s::jsonb) AS clock(
        job_id bigint, last_activity_at timestamptz,
        last_activity_besides_requests_at timestamptz, dormant_at timestamptz,
        freelancer_told_dormant_at timestamptz, next_due_at timestamptz
       )
 WHERE job.id = clock.job_id
   AND job.id = ANY (ARRAY(SELECT job_id FROM entry))
RETURNING EXISTS (
    SELECT FROM entry JOIN public.jobs_person AS actor ON actor.id = entry.actor_id
     WHERE NOT actor.is_active
) AS is_by_a_locked_account
