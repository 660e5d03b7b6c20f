"""What silence does in the demo world: Jobs on which the timers have been at work.

Most of them are Nora's, whose agency has more Jobs than it looks after.
"""

from workroom.demo.world import CHALLENGED_CARD, World
from workroom.services.reports import Line


def posters_expired(world: World) -> None:
    """Nobody answered the award within its seven days."""
    job = world.draft(
        world["nora"],
        "Posters for a film festival",
        "Six posters, A1 and for screens.",
        [("Posters", "18000", 25)],
        days_ago=17,
        currency="SEK",
    )
    world.award(job, world["yuki"].email, days_ago=16)


def subtitles_lapsed(world: World) -> None:
    """The bank was never told who holds the card: the payment lapsed, the Milestone is unfunded."""
    job = world.draft(
        world["ben"],
        "Subtitles for a lecture series",
        "Twelve lectures, English and French.",
        [("Lectures 1 to 6", "960", 15), ("Lectures 7 to 12", "960", 35)],
        days_ago=13,
        currency="CAD",
    )
    job = world.agree(job, world["lena"], days_ago=12)
    world.fund(job, 1, days_ago=9, number=CHALLENGED_CARD)


def booking_form_overdue(world: World) -> None:
    """A Release Request that nobody has answered for more than 15 days."""
    job = world.draft(
        world["nora"],
        "Booking form for a clinic",
        "A form for appointments that works without an account. Tested with screen readers.",
        [("Form", "1450", -12), ("Reminders by text message", "620", 20)],
        days_ago=42,
        currency="GBP",
    )
    job = world.agree(job, world["frank"], days_ago=41)
    world.fund(job, 1, days_ago=40)
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=17,
        comments="The form is live. The audit of the screen readers is in the folder.",
        plan="Start with the reminders, once they are funded.",
    )  # fmt: skip


def annual_report_warned(world: World) -> None:
    """The Client was warned twice: in a few days silence releases the money."""
    job = world.draft(
        world["nora"],
        "Annual report, 48 pages",
        "Layout and charts of an annual report, for print and as an accessible PDF.",
        [("Layout", "2400", -24), ("Print files", "850", 12)],
        days_ago=58,
        currency="EUR",
    )
    job = world.agree(job, world["lena"], days_ago=57)
    world.fund(job, 1, 2, days_ago=55)
    world.report(
        job, Line(number=1, percent=80), days_ago=35,
        comments="All charts but those of the last quarter.", plan="The last charts.",
    )  # fmt: skip
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=26.5,
        comments="Layout complete, 48 pages.", plan="Print files, when you have approved it.",
    )  # fmt: skip


def icons_released_by_silence(world: World) -> None:
    """30 days without an answer: the money was released by itself, and the work goes on."""
    job = world.draft(
        world["nora"],
        "Icons for a transport app",
        "Eighty icons in two sizes, light and dark.",
        [("First forty icons", "1800", -32), ("Second forty icons", "1800", 14)],
        days_ago=62,
        currency="CHF",
    )
    job = world.agree(job, world["yuki"], days_ago=61)
    world.fund(job, 1, 2, days_ago=60)
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=32.5,
        comments="Forty icons, with their sources.", plan="The second forty.",
    )  # fmt: skip
    world.report(
        job, Line(number=2, percent=45), days_ago=8, comments="Eighteen of forty.",
        plan="Buses and ferries.",
    )  # fmt: skip


def audio_guide_dormant(world: World) -> None:
    """60 days without Activity: the Client was told, the Freelancer will be."""
    job = world.draft(
        world["nora"],
        "Audio guide for a museum",
        "Texts and recordings for twenty rooms. In Norwegian and English.",
        [("Texts", "14500", -95), ("Recordings", "22000", -66)],
        days_ago=125,
        currency="NOK",
    )
    job = world.agree(job, world["frank"], days_ago=124)
    world.fund(job, 1, 2, days_ago=122)
    world.report(
        job,
        Line(number=1, percent=100, bill=True),
        days_ago=98,
        comments="All texts, both languages.",
    )
    world.release(job, 1, days_ago=96)
    world.report(
        job, Line(number=2, percent=40), days_ago=63,
        comments="Eight rooms are recorded. The speaker is away.", plan="The other twelve rooms.",
    )  # fmt: skip


def catalogue_freelancer_told(world: World) -> None:
    """Dormant for more than a week: the Freelancer was told, settlement comes next."""
    job = world.draft(
        world["nora"],
        "Exhibition catalogue",
        "A catalogue of 120 pages.",
        [("Concept", "1200", -110), ("Layout", "3100", -80), ("Proofs", "700", -72)],
        days_ago=140,
        currency="EUR",
    )
    job = world.agree(job, world["lena"], days_ago=139)
    world.fund(job, 1, 2, days_ago=137)
    world.report(job, Line(number=1, percent=100, bill=True), days_ago=112, comments="The concept.")
    world.release(job, 1, days_ago=110)
    world.report(
        job, Line(number=2, percent=30), days_ago=85, comments="The first chapter.",
        plan="I wait for the photographs.",
    )  # fmt: skip
    world.fund(job, 3, days_ago=70)


def microsite_settled(world: World) -> None:
    """Dormant for two weeks: what was never requested went back, and the Job is complete."""
    job = world.draft(
        world["nora"],
        "Campaign microsite",
        "A site of five pages for a spring campaign.",
        [("Design", "1300", -115), ("Build", "2100", -90), ("Evaluation", "400", -83)],
        days_ago=145,
    )
    job = world.agree(job, world["yuki"], days_ago=144)
    world.fund(job, 1, days_ago=143)
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=120, comments="Design of all pages."
    )
    world.release(job, 1, days_ago=118)
    world.fund(job, 2, days_ago=82)


def donation_page_reactivated(world: World) -> None:
    """A Dormant Job that the Freelancer woke with a Release Request."""
    job = world.draft(
        world["nora"],
        "Donation page",
        "A page for single and monthly donations.",
        [("Page", "980", -100), ("Monthly donations", "540", -75)],
        days_ago=130,
        currency="GBP",
    )
    job = world.agree(job, world["frank"], days_ago=129)
    world.fund(job, 1, 2, days_ago=127)
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=104, comments="The page is live."
    )
    world.release(job, 1, days_ago=101)
    world.report(
        job, Line(number=2, percent=70), days_ago=69, comments="Works, but for cancellations.",
        plan="Cancellations.",
    )  # fmt: skip
    world.report(
        job, Line(number=2, percent=100, bill=True), days_ago=1.5,
        comments="Sorry for the long silence. Cancelling works now.",
    )  # fmt: skip


STORIES = (
    posters_expired,
    subtitles_lapsed,
    booking_form_overdue,
    annual_report_warned,
    icons_released_by_silence,
    audio_guide_dormant,
    catalogue_freelancer_told,
    microsite_settled,
    donation_page_reactivated,
)
