-- Issues the next Closing Statement of each ended Job (see endings.py); each names the one before it.
WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS given(
        place integer, job_id bigint, issued_at timestamptz, parties jsonb, lines jsonb, totals jsonb
    )
), newest AS (
    SELECT DISTINCT ON (job_id) job_id, id, number
      FROM public.billing_closingstatement
     WHERE job_id = ANY (ARRAY(SELECT job_id FROM given))
     ORDER BY job_id, number DESC
), issued AS (
    INSERT INTO public.billing_closingstatement
        (job_id, number, replaces_id, issued_at, parties, lines, totals)
    SELECT given.job_id, coalesce(newest.number, 0) + 1, newest.id, issued_at, parties, lines, totals
      FROM given LEFT JOIN newest ON newest.job_id = given.job_id
     ORDER BY place
    RETURNING id, job_id, number, replaces_id, issued_at
)
SELECT {statement}
  FROM issued AS statement JOIN given ON given.job_id = statement.job_id
 ORDER BY given.place
