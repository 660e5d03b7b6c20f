"""The database refuses to change what has happened (Activity) and what was promised (Policy)."""

from django.db import migrations

REFUSE_CHANGE = """
CREATE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed (% refused)', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER activity_never_changes BEFORE UPDATE OR DELETE ON public.jobs_activity
    FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER policy_never_changes BEFORE UPDATE OR DELETE ON public.jobs_policy
    FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
"""

UNDO = """
DROP TRIGGER activity_never_changes ON public.jobs_activity;
DROP TRIGGER policy_never_changes ON public.jobs_policy;
DROP FUNCTION public.refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_first_tables")]
    operations = [migrations.RunSQL(REFUSE_CHANGE, UNDO)]
