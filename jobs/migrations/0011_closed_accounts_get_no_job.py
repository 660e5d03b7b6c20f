"""The database refuses an open Job for a closed account, whoever asks (R1.5).

The person is locked as a foreign key locks him, before he is looked at: so a closing that is under way is waited for.
"""

from django.db import migrations

REFUSE = """
CREATE FUNCTION public.refuse_closed_party() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM public.jobs_person
      WHERE id IN (NEW.client_id, NEW.freelancer_id) ORDER BY id FOR KEY SHARE;
    IF EXISTS (SELECT FROM public.jobs_person
                WHERE id IN (NEW.client_id, NEW.freelancer_id) AND closed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'Job % is open and a party has closed the account', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER job_has_no_closed_party
    BEFORE INSERT OR UPDATE OF client_id, freelancer_id ON public.jobs_job
    FOR EACH ROW WHEN (NEW.ended_at IS NULL) EXECUTE FUNCTION public.refuse_closed_party();

CREATE FUNCTION public.refuse_closing_with_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'Account % is closed for good', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT FROM public.jobs_job WHERE ended_at IS NULL
                  AND (client_id = NEW.id OR freelancer_id = NEW.id)) THEN
        RAISE EXCEPTION 'Account % has an open Job', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_closed_once_and_without_jobs
    BEFORE UPDATE OF closed_at ON public.jobs_person FOR EACH ROW
    WHEN (OLD.closed_at IS DISTINCT FROM NEW.closed_at)
    EXECUTE FUNCTION public.refuse_closing_with_jobs();
"""

UNDO = """
DROP TRIGGER person_closed_once_and_without_jobs ON public.jobs_person;
DROP FUNCTION public.refuse_closing_with_jobs();
DROP TRIGGER job_has_no_closed_party ON public.jobs_job;
DROP FUNCTION public.refuse_closed_party();
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0010_accounts")]
    operations = [migrations.RunSQL(REFUSE, UNDO)]
