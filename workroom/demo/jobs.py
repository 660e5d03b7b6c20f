"""What people do in the demo world: each Job is a short story, told by calling the services.

The Jobs on which the timers have been at work are in ``silence``, those on which the two sides do not
agree at once in ``disagreements``.
"""

from billing.services import funding, payouts, release_requests
from workroom.demo.world import CHALLENGED_CARD, World
from workroom.proposals import MilestoneInput, TermsInput
from workroom.services import awards, reports, terms, timesheets
from workroom.services.reports import Line
from workroom.services.timesheets import Entry


def bakery_website(world: World) -> None:
    """One Milestone paid, one requested, one waiting for its money; and a payout."""
    frank = world["frank"]
    job = world.draft(
        world["clara"],
        "Website for a bakery",
        "A website with shop hours, a gallery and an order form. In Spanish and English, "
        "easy to change by the owner, ready for phones.",
        [("Design", "500", -20), ("Build", "1000", 10), ("Launch and training", "350", 30)],
        days_ago=45,
    )
    job = world.agree(job, frank, days_ago=44)
    world.fund(job, 1, days_ago=42)
    world.report(
        job, Line(number=1, percent=60), days_ago=36,
        comments="Three drafts are in the shared folder.", plan="Choose one and finish it.",
    )  # fmt: skip
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=30,
        comments="The design is final.", plan="Start with the build.",
    )  # fmt: skip
    world.release(job, 1, days_ago=27)
    payouts.pay_out(
        frank,
        currency="USD",
        amount_minor=200_00,
        destination="NG62 0000 1234 5678",
        at=world.until(25),
    )
    world.fund(job, 2, days_ago=24)
    world.report(
        job, Line(number=2, percent=100, bill=True), days_ago=6,
        comments="All pages are up on the test server, please have a look.",
    )  # fmt: skip
    funding.request_funding(job.pk, number=3, by=frank, at=world.until(5))


def brand_book(world: World) -> None:
    """Completed, in yen, with its Closing Statement."""
    job = world.draft(
        world["clara"],
        "Logo and brand book",
        "A logo, its variants and a brand book of twenty pages.",
        [("Sketches", "60000", -40), ("Brand book", "140000", -15)],
        days_ago=70,
        currency="JPY",
    )
    job = world.agree(job, world["yuki"], days_ago=69)
    world.fund(job, 1, 2, days_ago=66)
    world.report(
        job, Line(number=1, percent=100, bill=True), Line(number=2, percent=20), days_ago=50,
        comments="Six sketches.", plan="Work out the one that you like.",
    )  # fmt: skip
    world.release(job, 1, days_ago=48)
    world.report(
        job, Line(number=2, percent=100, bill=True), days_ago=22, comments="Print-ready files."
    )
    world.release(job, 2, days_ago=20)


def newsletter_draft(world: World) -> None:
    """Not awarded yet."""
    world.draft(
        world["clara"],
        "Newsletter templates",
        "Four templates for a monthly newsletter.",
        [("Templates", "240", 40)],
        days_ago=1,
    )


def photographs_for_a_stranger(world: World) -> None:
    """Awarded to an address without an account: an invitation waits in the mailbox."""
    job = world.draft(
        world["clara"],
        "Photographs of the shop",
        "Thirty edited photographs of the shop and its people.",
        [("Photographs", "420", 20)],
        days_ago=3,
    )
    world.award(job, "nadia@example.com", days_ago=2)


def inventory_app_in_negotiation(world: World) -> None:
    """The Freelancer sent changed Terms back; it is the Client's turn."""
    job = world.draft(
        world["ben"],
        "Inventory app",
        "An app for tablets that counts what is in the warehouse. Works without a network.",
        [("Prototype", "900", 20), ("First version", "3200", 55)],
        days_ago=6,
    )
    world.award(job, world["frank"].email, days_ago=5)
    changed = TermsInput(
        scope="An app for tablets that counts what is in the warehouse. Works without a network. "
        "Scans barcodes with the camera.",
        starts_on=world.day(2),
        ends_on=world.day(80),
        message="I would start with a week of design, and need two weeks more for the scanner.",
        milestones=(
            MilestoneInput(title="Deposit and design", amount_minor=600_00, due_on=world.day(10)),
            MilestoneInput(title="Prototype", amount_minor=900_00, due_on=world.day(28), number=1),
            MilestoneInput(
                title="First version", amount_minor=3_600_00, due_on=world.day(75), number=2
            ),
        ),
    )
    terms.propose(job, by=world["frank"], terms=changed, answering=1, at=world.until(3))


def handbook_pending(world: World) -> None:
    """Funded with a card that its bank has not authenticated yet; the Client was reminded once."""
    job = world.draft(
        world["ben"],
        "Translation of a handbook",
        "A handbook of 180 pages, English into German.",
        [("First half", "1150.50", 25), ("Second half", "1150.50", 50)],
        days_ago=5,
        currency="EUR",
    )
    job = world.agree(job, world["lena"], days_ago=4)
    world.fund(job, 1, days_ago=3.4, number=CHALLENGED_CARD)


def declined_and_withdrawn(world: World) -> None:
    """Two awards that came to nothing."""
    videos = world.draft(
        world["ben"], "Product videos", "Five short videos.", [("Videos", "800", 30)], days_ago=15
    )
    world.award(videos, world["yuki"].email, days_ago=14)
    awards.decline_award(
        videos, by=world["yuki"], at=world.until(13), reason="I am fully booked until spring."
    )
    study = world.draft(
        world["ben"],
        "Market study",
        "Who buys what, and why.",
        [("Study", "1500", 30)],
        days_ago=12,
    )
    world.award(study, world["lena"].email, days_ago=11)
    awards.withdraw_award(study, by=world["ben"], at=world.until(10), reason="The budget was cut.")


def shop_with_a_void(world: World) -> None:
    """A Release Request was voided; the work goes on."""
    lena = world["lena"]
    job = world.draft(
        world["clara"],
        "Shop integration",
        "Connect the order form with the till.",
        [("Connection", "780", 12), ("Tests", "220", 25)],
        days_ago=28,
        currency="EUR",
    )
    job = world.agree(job, lena, days_ago=27)
    world.fund(job, 1, days_ago=26)
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=12, comments="It is connected."
    )
    request = job.release_requests.get()
    release_requests.void(
        request.pk,
        by=lena,
        at=world.until(11),
        reason="The till rejects returns. I mend that first.",
    )


def server_care_by_the_hour(world: World) -> None:
    """An hourly Job with timesheets and no escrow."""
    job = world.draft(
        world["ben"],
        "Server care",
        "Keep two servers up to date and watched.",
        [],
        days_ago=40,
        hourly_rate="45",
        open_ended=True,
    )
    frank = world["frank"]
    job = world.agree(job, frank, days_ago=39)
    for weeks_ago in (3, 2):
        at = world.until(7 * weeks_ago)
        monday = reports.current_week(frank, at=at)
        timesheets.submit_timesheet(
            job,
            by=frank,
            week_starts_on=monday,
            entries=[Entry(worked_on=monday, minutes=150, note="Updates")],
            comments="A quiet week.",
            at=at,
        )


def app_care_open_ended(world: World) -> None:
    """Its end is to be determined: all that was funded is released, either side may complete it."""
    job = world.draft(
        world["lena"],
        "Care of a small app",
        "Small changes, whenever they are needed.",
        [("First quarter", "300", -10)],
        days_ago=60,
        currency="EUR",
        open_ended=True,
    )
    job = world.agree(job, world["yuki"], days_ago=59)
    world.fund(job, 1, days_ago=57)
    world.release(job, 1, days_ago=9)


def freelancer_as_client(world: World) -> None:
    """Frank is the Client here; his first Milestone waits for its money."""
    job = world.draft(
        world["frank"],
        "Accounting export",
        "A script that exports a year of invoices for the accountant.",
        [("Script", "125.75", 18)],
        days_ago=4,
    )
    world.agree(job, world["yuki"], days_ago=3)


def explainer_film(world: World) -> None:
    """Completed by the Client's releases alone: receipts and no requests."""
    job = world.draft(
        world["ben"],
        "Explainer film",
        "A film of ninety seconds.",
        [("Film", "250.125", -30)],
        days_ago=65,
        currency="KWD",
    )
    job = world.agree(job, world["yuki"], days_ago=64)
    world.fund(job, 1, days_ago=62)
    world.release(job, 1, days_ago=33)


STORIES = (
    bakery_website,
    brand_book,
    newsletter_draft,
    photographs_for_a_stranger,
    inventory_app_in_negotiation,
    handbook_pending,
    declined_and_withdrawn,
    shop_with_a_void,
    server_care_by_the_hour,
    app_care_open_ended,
    freelancer_as_client,
    explainer_film,
)
