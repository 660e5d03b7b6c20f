"""What the pages are put together with: statements into instances, rows and options into HTML."""

import pytest
from django.template import Context, engines
from django.utils.safestring import SafeString

from escrow_site.lib import markup, statements
from jobs.models import Activity, Job, Person
from tests.workroom.agreements import awarded


def rendered(source, **values):
    template = engines["django"].from_string(source).template
    return template, template.render(Context(values))


def test_a_row_is_escaped_unless_it_is_html_already():
    row = markup.fill("<td>{name}</td>{rest}", name="<b>&", rest=SafeString("<td></td>"))

    assert row == "<td>&lt;b&gt;&amp;</td><td></td>"


def test_options_with_a_group():
    choices = [("", "All"), ("Few & far", [("a", "A"), ("b", "B")])]

    assert rendered("{% options choices 'b' %}", choices=choices)[1] == (
        '<option value="">All</option><optgroup label="Few &amp; far">'
        '<option value="a">A</option><option value="b" selected>B</option></optgroup>'
    )


def test_what_is_unchanging_knows_nothing_but_its_values():
    template, first = rendered(
        "{% unchanging view=view %}{{ view }}{{ person }}{% endunchanging %}", view="a", person="P"
    )

    assert first == "a"
    assert template.render(Context({"view": "b"})) == "b"
    assert template.render(Context({"view": "a"})) == "a"


@pytest.mark.django_db
def test_a_statement_is_read_into_instances(client_person):
    job = awarded(client_person, "somebody@example.com")
    sql = (
        "SELECT {activity}, {job}, {nobody}, 7 FROM jobs_activity AS activity"
        " JOIN jobs_job AS job ON job.id = activity.job_id"
        " LEFT JOIN jobs_person AS nobody ON nobody.id = 0"
        " WHERE job.id = %(job)s ORDER BY activity.id LIMIT 1"
    )

    [(activity, read, nobody, seven)] = statements.read(
        sql,
        {"job": job.pk},
        activity=Activity,
        job=statements.Only(Job, ("id", "title")),
        nobody=Person,
    )

    assert activity == Activity.objects.filter(job=job).earliest("pk")
    assert activity.facts == Activity.objects.get(pk=activity.pk).facts
    assert (read.title, read.get_deferred_fields() >= {"state"}) == (job.title, True)
    assert (nobody, seven) == (None, 7)
