"""Pages of a draft: what is typed is never lost, nothing is done by half."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from escrow_site.lib import timing
from jobs.models import Job
from tests.workroom.agreements import awarded, draft
from tests.world import world
from workroom.models import Milestone

NEW = reverse("workroom:new_job")


@pytest.fixture
def visitor(client_person):
    client = Client()
    client.force_login(client_person)
    return client


def typed(*rows, **values):
    """What the browser sends: the Job, its Terms, and rows of Milestones."""
    data = {
        "title": "Website", "description": "", "kind": "fixed_price", "currency": "USD",
        "hourly_rate": "", "scope": "Pages", "starts_on": "", "ends_on": "", "message": "",
        "milestones-TOTAL_FORMS": str(len(rows)), "milestones-INITIAL_FORMS": "0",
        "then": "stay",
    }  # fmt: skip
    for place, row in enumerate(rows):
        for name, value in ({"place": str(place + 1)} | row).items():
            data[f"milestones-{place}-{name}"] = value
    return data | values


def row(title, amount, due_on="", **values):
    return {"title": title, "amount": amount, "due_on": due_on, **values}


def milestones():
    return list(
        Milestone.objects.order_by("position").values_list("number", "title", "amount_minor")
    )


def shown_values(response):
    """What stands in the fields of the rows after the page came back."""
    return [
        (form["title"].value(), form["amount"].value())
        for form in response.context["proposal"].milestones
    ]


def test_a_draft_is_saved_and_can_be_gone_on_with(visitor):
    data = typed(row("Design", "500", "2026-03-31"), row("Build", "1,000.50"), row("", ""))

    response = visitor.post(NEW, data)

    job = Job.objects.get()
    assert (response.status_code, response.url) == (302, f"/jobs/{job.pk}/draft/")
    assert milestones() == [(1, "Design", 500_00), (2, "Build", 1_000_50)]
    page = visitor.get(response.url)
    assert shown_values(page) == [("Design", "500.00"), ("Build", "1000.50")]
    assert "The draft is saved. Nobody but you can see it." in page.content.decode()
    assert "$1,500.50" in page.content.decode()


def test_saving_to_go_on_leads_to_the_award(visitor):
    response = visitor.post(NEW, typed(row("Design", "500"), then="award"))

    job = Job.objects.get()
    assert response.url == f"/jobs/{job.pk}/award/"
    page = visitor.get(response.url).content.decode()
    assert "$456.25" in page
    assert "who has 7 days to answer" in page


def test_the_page_says_what_belongs_to_which_kind(visitor):
    page = visitor.get(NEW).content.decode()

    assert re.findall(r'data-kind="(\w+)"', page) == [
        "hourly",
        "fixed_price",
        "fixed_price",
        "hourly",
    ]
    assert "For an hourly Job only: leave it empty for a fixed price." in page
    assert "For a fixed price only: leave them empty on an hourly Job." in page
    assert "Nothing is funded or held here." in page


def test_another_row_keeps_what_was_typed_and_saves_nothing(visitor):
    before = world()

    response = visitor.post(
        NEW, typed(row("Design", "abc"), row("Gone", "1", DELETE="on"), title="", add_row="1")
    )

    assert response.status_code == 200
    assert shown_values(response) == [("Design", "abc"), (None, None)]
    assert 'value="abc"' in response.content.decode()
    assert "error-summary" not in response.content.decode()
    assert world() == before


def test_places_give_the_order_and_a_taken_place_means_before(visitor):
    visitor.post(NEW, typed(row("Design", "1"), row("Build", "2"), row("Deposit", "3", place="1")))

    assert [title for _, title, _ in milestones()] == ["Deposit", "Design", "Build"]


def test_a_removed_and_a_cleared_row_are_gone(visitor, client_person):
    job = draft(client_person, at=timing.now())

    visitor.post(
        reverse("workroom:draft", args=[job.pk]),
        typed(
            row("Design", "1", number="1", DELETE="on"), row("", "", number="2"), row("New", "5")
        ),
    )

    assert milestones() == [(1, "New", 500)]


def test_amounts_are_read_in_the_chosen_currency(visitor):
    visitor.post(NEW, typed(row("Design", "1.5"), currency="KWD"))
    assert milestones() == [(1, "Design", 1_500)]

    response = visitor.post(NEW, typed(row("Design", "1.5"), currency="JPY"))
    assert "JPY has no decimals: give a whole number." in response.content.decode()
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (typed(title=""), "Title: This field is required."),
        (typed(title="x" * 121), "Title: Ensure this value has at most 120 characters"),
        (typed(title="a\x00b"), "Title: Null characters are not allowed."),
        (typed(kind="barter"), "Payment: Select a valid choice."),
        (typed(currency="XXX"), "Currency: Select a valid choice."),
        (typed(scope=""), "Scope: This field is required."),
        (typed(starts_on="31.3."), "Start: Enter a valid date."),
        (typed(kind="hourly"), "An hourly Job needs an hourly rate."),
        (typed(hourly_rate="40"), "A fixed-price Job has no hourly rate"),
        (
            typed(row("Design", "5"), kind="hourly", hourly_rate="4"),
            "An hourly Job has no Milestones",
        ),
        (typed(row("", "5")), "Milestone 1, Milestone: This field is required."),
        (typed(row("Design", "")), "Milestone 1, Amount: This field is required."),
        (typed(row("Design", "0")), "Milestone 1, Amount: "),
        (typed(row("Design", "-5")), "Milestone 1, Amount: "),
        (typed(row("Design", "1e999999")), "Milestone 1, Amount: "),
        (typed(row("Design", "9" * 29)), "Milestone 1, Amount: "),
        (typed(row("Design", "9" * 31)), "Milestone 1, Amount: "),
        (
            typed(row("Design", "2000000")),
            "“Design”: the most that one amount can be is $1,000,000.00.",
        ),
        (
            typed(row("Design", "5", place="9" * 40)),
            "Milestone 1, Place: Ensure this value is less than",
        ),
        (typed(row("Design", "5", "0001-01-01")), "Dates can lie between 2000 and 2099."),
        (
            typed(row("Design", "5", "2026-05-01"), ends_on="2026-04-30"),
            "“Design” is due after the end of the timeline.",
        ),
        (typed(**{"milestones-TOTAL_FORMS": "9999999"}), "One Job can have 50 Milestones at most."),
        (typed(**{"milestones-TOTAL_FORMS": "x"}), "The Milestones did not arrive whole."),
        (typed(**{"milestones-TOTAL_FORMS": "-1"}), "The Milestones did not arrive whole."),
        ({}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(visitor, data, message):
    before = world()

    response = visitor.post(NEW, data)

    assert response.status_code == 200
    assert message in response.content.decode()
    if data.get("title") == "Website":
        assert 'value="Website"' in response.content.decode()
    assert world() == before


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (
            typed(
                row("", "abc", "2026-05-01"), row("Build", "2000000"), title="", hourly_rate="4",
                scope="", ends_on="2026-04-30",
            ),
            [
                "Title: This field is required.",
                "Hourly rate: A fixed-price Job has no hourly rate",
                "Scope: This field is required.",
                "Milestone 1, Milestone: This field is required.",
                "Milestone 1, Due: “This Milestone” is due after the end of the timeline.",
                "Milestone 1, Amount: ",
                "Milestone 2, Amount: “Build”: the most that one amount can be is $1,000,000.00.",
            ],
        ),
        (
            typed(row("Design", "", "1999-12-31"), kind="hourly", starts_on="2100-01-01"),
            [
                "Hourly rate: An hourly Job needs an hourly rate.",
                "An hourly Job has no Milestones",
                "Start: Dates can lie between 2000 and 2099.",
                "Milestone 1, Due: Dates can lie between 2000 and 2099.",
                "Milestone 1, Amount: This field is required.",
            ],
        ),
        (
            typed(
                row("Design", "5"), row("Gone", "x", "1999-12-31", DELETE="on"), title="",
                starts_on="2026-05-01", ends_on="2026-04-30",
            ),
            ["Title: This field is required.", "End: The end is before the start."],
        ),
    ],
)  # fmt: skip
def test_all_that_is_wrong_is_said_at_once(visitor, data, messages):
    before = world()

    page = visitor.post(NEW, data).content.decode()

    summaries = re.findall(r'<div class="error-summary".*?</div>', page, re.DOTALL)
    said = re.findall(r"<li>(?:<a[^>]*>)?(.*?)(?:</a>)?</li>", "".join(summaries))
    assert len(said) == len(messages)
    assert [message for message in messages if message not in "".join(said)] == []
    assert world() == before


@pytest.mark.parametrize("count", ["0", "-1", "1", "x", None])
def test_rows_beyond_their_count_are_not_dropped(visitor, count):
    data = typed(row("Design", "500"), row("Build", "5"), **{"milestones-TOTAL_FORMS": count})
    before = world()

    response = visitor.post(NEW, {name: value for name, value in data.items() if value is not None})

    page = response.content.decode()
    assert "The Milestones did not arrive whole. Please check them and send them again." in page
    assert shown_values(response) == [("Design", "500"), ("Build", "5")]
    assert 'name="milestones-TOTAL_FORMS" value="2"' in page
    assert world() == before


def test_a_second_click_makes_no_second_draft(visitor):
    data = typed(row("Design", "500", "2026-03-31"), message="Hello")

    answers = [visitor.post(NEW, data | {"then": then}) for then in ("stay", "award")]

    job = Job.objects.get()
    assert [answer.url for answer in answers] == [
        f"/jobs/{job.pk}/draft/",
        f"/jobs/{job.pk}/award/",
    ]
    visitor.post(NEW, data | {"message": "Hello again"})
    visitor.post(NEW, data | {"milestones-0-amount": "501"})
    assert Job.objects.count() == 3
    Job.objects.update(drafted_at=timing.now() - timedelta(minutes=1))
    visitor.post(NEW, data)
    assert Job.objects.count() == 4


def test_a_draft_is_discarded_after_a_question(visitor, client_person):
    job = draft(client_person, at=timing.now())
    address = reverse("workroom:discard_draft", args=[job.pk])

    assert "This cannot be undone." in visitor.get(address).content.decode()
    assert Job.objects.count() == 1
    assert visitor.post(address).url == "/jobs/"
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("draft", "get"),
        ("discard_draft", "get"),
        ("discard_draft", "post"),
        ("award", "get"),
    ],
)
def test_an_awarded_job_has_left_these_pages(visitor, client_person, freelancer, name, method):
    job = awarded(client_person, freelancer.email, at=timing.now())
    before = world()

    response = getattr(visitor, method)(reverse(f"workroom:{name}", args=[job.pk]))

    assert (response.status_code, response.url) == (302, f"/jobs/{job.pk}/")
    assert world() == before


def test_what_was_typed_into_a_draft_outlives_the_award(visitor, client_person, freelancer):
    job = awarded(client_person, freelancer.email, at=timing.now())
    data = typed(row("Sketches", "77"), title="Better website", scope="All that I typed")
    before = world()

    response = visitor.post(reverse("workroom:draft", args=[job.pk]), data)

    page = response.content.decode()
    assert response.status_code == 200
    assert "This Job has been awarded: it is no draft any more." in page
    assert shown_values(response) == [("Sketches", "77")]
    assert 'value="Better website"' in page
    assert "All that I typed" in page
    assert "Save and continue" not in page
    assert f'<a class="button" href="/jobs/{job.pk}/">See the Job</a>' in page
    assert world() == before
