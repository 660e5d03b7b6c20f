-- The same rows and the same indexes in a schema of their own; no foreign keys, triggers or checks.
SET maintenance_work_mem = '256MB';
DROP SCHEMA IF EXISTS floor CASCADE;
CREATE SCHEMA floor;
DO $$
DECLARE
    name text;
    definition text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'jobs_job', 'jobs_activity', 'jobs_notification', 'billing_account', 'billing_transfer',
        'billing_escrow', 'billing_releaserequest', 'billing_proforma', 'billing_release',
        'billing_document', 'billing_documentseries'
    ] LOOP
        EXECUTE format(
            'CREATE TABLE floor.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING IDENTITY)',
            name, name);
        EXECUTE format('INSERT INTO floor.%I SELECT * FROM public.%I', name, name);
        EXECUTE format(
            'SELECT setval(pg_get_serial_sequence(%L, ''id''), (SELECT coalesce(max(id), 0) + 1 '
            'FROM floor.%I))', 'floor.' || name, name);
        -- After the rows, which is faster.
        FOR definition IN
            SELECT replace(indexdef, ' ON public.', ' ON floor.') FROM pg_indexes
             WHERE schemaname = 'public' AND tablename = name
        LOOP
            EXECUTE definition;
        END LOOP;
    END LOOP;
END $$;
RESET maintenance_work_mem;
