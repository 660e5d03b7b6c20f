"""What people do in the demo world when they do not agree at once: Disputes, changes, refunds, cancellations."""

from dataclasses import replace

from django.core.files.uploadedfile import SimpleUploadedFile

from billing.models import Dispute
from billing.services import (
    cancellations,
    disputes,
    mediation,
    offers,
    refunding,
    release_requests,
    releases,
)
from jobs.models import Job, Person
from workroom.demo.world import Milestones, World
from workroom.models import Terms
from workroom.proposals import MilestoneInput, TermsInput
from workroom.services import terms
from workroom.services.reports import Line


def engraving_waits_for_an_answer(world: World) -> None:
    """The Client opened a Dispute this morning: the Freelancer has two business days to answer."""
    job = world.draft(
        world["clara"],
        "Engraved door sign",
        "The drawing of a door sign, ready for the engraver.",
        [("Drawing", "380", 4), ("Supervision of the engraving", "120", 25)],
        days_ago=14,
        currency="EUR",
    )
    job = world.agree(job, world["lena"], days_ago=13)
    world.fund(job, 1, days_ago=12)
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=4, comments="The drawing, as vectors."
    )
    disputes.open(
        job.pk,
        number=1,
        asks=Dispute.Asks.REFUND,
        asked_minor=190_00,
        reason="The engraver cannot use it: the letters are pictures and not lines.",
        uploads=[_note("engraver.txt", "Letters are bitmaps. We need outlines.")],
        by=job.client,
        at=world.until(0.3),
    )


def city_map_with_offers(world: World) -> None:
    """Both have said what they would agree on; either may accept the other's offer."""
    job = world.draft(
        world["nora"],
        "Map of the old town",
        "A hand-drawn map with forty sights, for print and web.",
        [("Map", "9600", 2), ("Legend in three languages", "2400", 20)],
        days_ago=35,
        currency="SEK",
    )
    yuki = world["yuki"]
    job = world.agree(job, yuki, days_ago=34)
    world.fund(job, 1, days_ago=33)
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=9, comments="The map is complete."
    )
    dispute = disputes.open(
        job.pk,
        number=1,
        asks=Dispute.Asks.REFUND,
        asked_minor=4800_00,
        reason="Thirty-one of the forty sights are drawn.",
        by=job.client,
        at=world.until(5),
    )
    disputes.answer(
        dispute.pk,
        text="Nine were closed for repairs, as I wrote in my report. I can add four of them.",
        by=yuki,
        at=world.until(4),
    )
    offers.make(dispute.pk, to_freelancer_minor=8400_00, by=yuki, at=world.until(3.8))
    offers.make(dispute.pk, to_freelancer_minor=7000_00, by=job.client, at=world.until(1))


def voice_recordings_decided(world: World) -> None:
    """One agent has decided; no money moves before a senior one confirms it."""
    dispute = _dispute_about_recordings(world)
    mediation.ask(
        dispute.pk,
        text="Which of the chapters were delivered again, and when?",
        by=world["agent"],
        at=world.until(4),
    )
    disputes.add_statement(
        dispute.pk, text="Chapters 2 and 5, on the evening of the same day.",
        by=world["frank"], at=world.until(3),
    )  # fmt: skip
    mediation.decide(
        dispute.pk,
        to_freelancer_minor=880_00,
        reasons="Eight of ten chapters are free of noise and can be used. The price is the same for each.",
        by=world["agent"],
        at=world.until(1),
    )


def _dispute_about_recordings(world: World) -> Dispute:
    job = world.draft(
        world["ben"],
        "Recordings for a language course",
        "Ten chapters, read by a native speaker.",
        [("Ten chapters", "1100", -2)],
        days_ago=30,
    )
    frank = world["frank"]
    job = world.agree(job, frank, days_ago=29)
    world.fund(job, 1, days_ago=28)
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=12, comments="All ten chapters."
    )
    dispute = disputes.open(
        job.pk,
        number=1,
        asks=Dispute.Asks.REFUND,
        asked_minor=550_00,
        reason="There is a hum in half of the chapters.",
        by=job.client,
        at=world.until(8),
    )
    disputes.answer(
        dispute.pk, text="In two of them, and I have recorded these again.",
        by=frank, at=world.until(7),
    )  # fmt: skip
    return disputes.escalate(dispute.pk, by=job.client, at=world.until(6))


def price_list_settled(world: World) -> None:
    """A Dispute that ended with an accepted offer: an invoice for one part, the other went back."""
    job = world.draft(
        world["clara"],
        "Price list and menu",
        "A price list for the counter and a menu for the tables.",
        [("Price list", "260", -18), ("Menu", "340", 15)],
        days_ago=40,
    )
    yuki = world["yuki"]
    job = world.agree(job, yuki, days_ago=39)
    world.fund(job, 1, days_ago=38)
    world.report(job, Line(number=1, percent=100, bill=True), days_ago=19, comments="In two sizes.")
    dispute = disputes.open(
        job.pk,
        number=1,
        asks=Dispute.Asks.REFUND,
        asked_minor=130_00,
        reason="The second size is missing.",
        by=job.client,
        at=world.until(17),
    )
    offer = offers.make(dispute.pk, to_freelancer_minor=195_00, by=yuki, at=world.until(16))
    offers.accept(offer.pk, by=job.client, at=world.until(15))


def plant_shop_cancellation_requested(world: World) -> None:
    """The Client wants to end the Job and proposes a split; the Freelancer has five days."""
    job = _two_funded(
        world, world["ben"], world["lena"], "Web shop for plants",
        [("Catalogue", "700", 6), ("Checkout", "950", 28)], days_ago=21,
    )  # fmt: skip
    world.report(
        job, Line(number=1, percent=60), days_ago=3, comments="Sixty of a hundred plants.",
        plan="The other forty.",
    )  # fmt: skip
    cancellations.request(
        job.pk,
        shares={1: 420_00, 2: 0},
        reason="We close the shop at the end of the month. Thank you for what is done.",
        by=job.client,
        at=world.until(1),
    )


def podcast_cancelled(world: World) -> None:
    """Cancelled by agreement: each Milestone divided, with its Closing Statement."""
    job = _two_funded(
        world, world["nora"], world["frank"], "Podcast about rivers",
        [("First episodes", "1500", -8), ("Second season", "1500", 30)], days_ago=50,
    )  # fmt: skip
    world.report(job, Line(number=1, percent=50), days_ago=25, comments="Two of four are recorded.")
    cancellation = cancellations.request(
        job.pk,
        shares={1: 750_00, 2: 0},
        reason="My studio moves abroad.",
        by=world["frank"],
        at=world.until(20),
    )
    cancellations.accept(cancellation.pk, by=job.client, at=world.until(18))


def guide_with_changed_terms(world: World) -> None:
    """Proposed on a running Job: one Milestone cheaper, one more; the Client gets back and funds."""
    job = _two_funded(
        world, world["clara"], world["frank"], "Guide to the neighbourhood",
        [("Texts", "640", 9), ("Photographs", "480", 24)], days_ago=18,
    )  # fmt: skip
    agreed = TermsInput.of(job.terms.get(state=Terms.State.AGREED))
    texts, photographs = agreed.milestones
    changed = replace(
        agreed,
        message="You have most photographs already; the map that we spoke of is new.",
        milestones=(
            texts,
            replace(photographs, amount_minor=300_00),
            MilestoneInput(title="Map", amount_minor=220_00, due_on=world.day(35)),
        ),
    )
    terms.propose(job, by=world["frank"], terms=changed, answering=1, at=world.until(2))


def cookbook_refunds(world: World) -> None:
    """The Freelancer sent held money back, and a part of what was released: with a credit note."""
    job = _two_funded(
        world, world["clara"], world["lena"], "Layout of a cookbook",
        [("Sample chapter", "400", -12), ("All chapters", "1600", 22)], days_ago=33,
    )  # fmt: skip
    lena = world["lena"]
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=16, comments="The chapter on soups."
    )
    world.release(job, 1, days_ago=15)
    refunding.refund_held(
        job.pk,
        number=2,
        amount_minor=200_00,
        reason="Two chapters fewer than planned",
        by=lena,
        at=world.until(11),
        seen_held_minor=1600_00,
    )
    refunding.refund_released(
        job.pk,
        number=1,
        amount_minor=50_00,
        reason="The index was not needed",
        by=lena,
        at=world.until(10),
    )


def garden_plan_in_part(world: World) -> None:
    """The Client released a part; the request stands for the rest, and its clock runs on."""
    job = _two_funded(
        world, world["ben"], world["yuki"], "Plan of a roof garden",
        [("Plan", "1200", -3), ("Planting list", "300", 18)], days_ago=27,
    )  # fmt: skip
    world.report(
        job, Line(number=1, percent=100, bill=True), days_ago=8, comments="Plan in two scales."
    )
    releases.release_part(
        job.pk,
        number=1,
        amount_minor=800_00,
        by=job.client,
        at=world.until(5),
        seen_held_minor=1200_00,
    )


def brochure_sent_back(world: World) -> None:
    """The Client asked for changes: the request has ended, the money is held, the work goes on."""
    job = _two_funded(
        world, world["nora"], world["lena"], "Brochure for a harbour",
        [("Brochure", "1250", 3), ("Translation", "380", 21)], days_ago=24, currency="EUR",
    )  # fmt: skip
    world.report(job, Line(number=1, percent=100, bill=True), days_ago=6, comments="Eight pages.")
    release_requests.request_changes(
        job.release_requests.get().pk,
        comment="Very nice. The map on page 5 shows the old quay: please use the new one.",
        by=job.client,
        at=world.until(2),
    )


def _two_funded(
    world: World, client: Person, freelancer: Person, title: str, milestones: Milestones,
    *, days_ago: float, currency: str = "USD",
) -> Job:  # fmt: skip
    """A Job under way, both of its Milestones funded two days after it was agreed."""
    job = world.draft(
        client, title, f"{title}, as we discussed it.", milestones, days_ago=days_ago,
        currency=currency,
    )  # fmt: skip
    job = world.agree(job, freelancer, days_ago=days_ago - 1)
    world.fund(job, 1, 2, days_ago=days_ago - 3)
    return job


def _note(name: str, text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


STORIES = (
    engraving_waits_for_an_answer,
    city_map_with_offers,
    voice_recordings_decided,
    price_list_settled,
    plant_shop_cancellation_requested,
    podcast_cancelled,
    guide_with_changed_terms,
    cookbook_refunds,
    garden_plan_in_part,
    brochure_sent_back,
)
