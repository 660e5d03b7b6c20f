"""Both sides dispute, offer and withdraw; support decides (R9)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from billing.models import Decision, Dispute, Offer
from billing.services import disputes as service
from billing.services import mediation, offers, refunding, release_requests, releases, sealed
from tests.billing.machine.base import possible
from tests.billing.machine.moving import Moving
from tests.billing.machine.oracle import disputes
from tests.billing.machine.oracle.rows import SIDES
from tests.billing.machine.waiting import Waiting


class Disputing(Waiting, Moving):
    """Whoever may act in a Dispute does; an ended one is tried too."""

    weight = (0, 2, 5)

    def sides_and_disputed(self) -> list[tuple[str, int]]:
        """Milestones that there was ever a Dispute about."""
        return [(side, number) for side in SIDES for number in sorted(self.disputed)]

    def newest(self, number: int) -> int:
        return Dispute.objects.filter(job=self.job, escrow__number=number).latest("pk").pk

    def in_dispute(self) -> bool:
        return any(one.dispute for one in self.oracle.milestones.values())

    @possible(lambda self: self.some(disputes.may_open, 1))
    def open_dispute(self) -> None:
        asks = self.chance.choice(["release", "refund"])
        choices = [(*choice, 1) for choice in self.sides_and_numbers()]
        side, number, _ = self.choose(choices, disputes.may_open)
        asked = self.part_of(self.oracle.milestones[number].held)
        self.attempt(
            allowed=disputes.may_open(self.oracle, side, number, asked),
            act=lambda: service.open(
                self.job.pk, number=number, asks=asks, asked_minor=asked, reason="It is not so.",
                by=self.people[side], at=self.at,
            ),
            follows=lambda: disputes.open(self.oracle, side, number, self.at),
        )  # fmt: skip
        self.disputed |= {
            number for number, one in self.oracle.milestones.items() if one.dispute is not None
        }

    @possible(lambda self: self.some(disputes.may_open, 1))
    def quarrel_and_make_up(self) -> None:
        """At the last moment, and for a few days only: then the request's clock goes on (R9.4)."""
        if late := [one.request for one in self.oracle.held() if one.request and not one.dispute]:
            before_due = timedelta(days=self.chance.randint(1, 12))
            self.wait_while_sweeps_run(max(self.at, self.chance.choice(late).due_at - before_due))
            self.look()
        if self.some(disputes.may_open, 1):
            self.open_dispute()
            self.look()
        self.wait_while_sweeps_run(self.at + timedelta(days=self.chance.randint(0, 5)))
        self.look()
        if self.in_dispute():
            self.withdraw_dispute()

    @possible(in_dispute)
    def touch_what_is_frozen(self) -> None:
        """No request, partial release, partial refund, void or refund of released money (R9.1)."""
        number = self.chance.choice(
            [number for number in sorted(self.disputed) if disputes.is_open(self.oracle, number)]
        )
        act = self.chance.choice(self._touches(number, self.oracle.milestones[number].held))
        self.attempt(allowed=False, act=act, follows=lambda: None)

    def _touches(self, number: int, held: int) -> list[Callable[[], Any]]:
        about: Any = {"number": number, "amount_minor": max(1, held - 1), "at": self.at}
        client, freelancer = self.people["client"], self.people["freelancer"]
        part = {**about, "seen_held_minor": held}
        touches: list[Callable[[], Any]] = [
            lambda: self.request_release_of(number, by=freelancer),
            lambda: refunding.refund_released(self.job.pk, by=freelancer, reason="", **about),
        ]
        if held > 1:
            touches += [
                lambda: releases.release_part(self.job.pk, by=client, **part),
                lambda: refunding.refund_held(self.job.pk, by=freelancer, reason="", **part),
            ]
        if self.oracle.milestones[number].request is not None:
            request = self.newest_request(number)
            touches += [
                lambda: release_requests.void(request, by=freelancer, at=self.at),
                lambda: release_requests.request_changes(
                    request, comment="No.", by=client, at=self.at
                ),
            ]
        return touches

    @possible(in_dispute)
    def answer_dispute(self) -> None:
        side, number = self.choose(self.sides_and_disputed(), disputes.may_answer)
        self.attempt(
            allowed=disputes.may_answer(self.oracle, side, number),
            act=lambda: service.answer(
                self.newest(number), text="It is.", by=self.people[side], at=self.at
            ),
            follows=lambda: disputes.answer(self.oracle, number, self.at),
        )

    @possible(in_dispute)
    def state_something(self) -> None:
        side = self.chance.choice(SIDES)
        number = self.chance.choice(sorted(self.disputed))
        text = f"Look at {self.chance.random()}."  # the same words at once would be a second click
        self.attempt(
            allowed=disputes.is_open(self.oracle, number),
            act=lambda: service.add_statement(
                self.newest(number), text=text, by=self.people[side], at=self.at
            ),
            follows=lambda: disputes.say(self.oracle, side, number, self.at),
        )

    # --- Offers ---

    @possible(in_dispute)
    def offer(self) -> None:
        side = self.chance.choice(SIDES)
        number, amount = self._share()
        self.attempt(
            allowed=disputes.may_offer(self.oracle, side, number, amount),
            act=lambda: offers.make(
                self.newest(number), to_freelancer_minor=amount, by=self.people[side], at=self.at
            ),
            follows=lambda: disputes.offer(self.oracle, side, number, amount, self.at),
        )

    def _share(self) -> tuple[int, int]:
        """A disputed Milestone, and what the Freelancer is to get of it: also nothing, or all."""
        (number,) = self.choose([(one,) for one in sorted(self.disputed)], disputes.is_open)
        amount = self.part_of(self.oracle.milestones[number].held)
        return number, self.chance.choice([amount, amount, 0])

    @possible(lambda self: any(self.offered(disputes.may_accept_offer)))
    def accept_offer(self) -> None:
        choices = [(side, number) for side, number in self.sides_and_disputed()]
        side, number = self.choose(choices, disputes.may_accept_offer)
        offer = self._offer(number, side, by_other=True)
        if offer is None:
            return
        self.attempt(
            allowed=disputes.may_accept_offer(self.oracle, side, number),
            act=lambda: offers.accept(offer, by=self.people[side], at=self.at),
            follows=lambda: disputes.accept_offer(self.oracle, side, number, self.at),
        )

    @possible(lambda self: any(self.offered(disputes.may_withdraw_offer)))
    def withdraw_offer(self) -> None:
        side, number = self.choose(self.sides_and_disputed(), disputes.may_withdraw_offer)
        offer = self._offer(number, side, by_other=False)
        if offer is None:
            return
        self.attempt(
            allowed=disputes.may_withdraw_offer(self.oracle, side, number),
            act=lambda: offers.withdraw(offer, by=self.people[side], at=self.at),
            follows=lambda: disputes.withdraw_offer(self.oracle, side, number, self.at),
        )

    def offered(self, may: object) -> list[bool]:
        return [may(self.oracle, *choice) for choice in self.sides_and_numbers()]  # type: ignore[operator]

    def _offer(self, number: int, side: str, *, by_other: bool) -> int | None:
        """The newest offer of the newest Dispute, open or over."""
        made = Offer.objects.filter(dispute=self.newest(number))
        mine = made.filter(by=self.people[side])
        found = made.exclude(pk__in=mine) if by_other else mine
        return found.order_by("-pk").values_list("pk", flat=True).first()

    # --- Taken back, or to support ---

    @possible(in_dispute)
    def withdraw_dispute(self) -> None:
        side, number = self.choose(self.sides_and_disputed(), disputes.may_withdraw)
        self.attempt(
            allowed=disputes.may_withdraw(self.oracle, side, number),
            act=lambda: service.withdraw(self.newest(number), by=self.people[side], at=self.at),
            follows=lambda: disputes.withdraw(self.oracle, number, self.at),
        )

    @possible(in_dispute)
    def escalate(self) -> None:
        side = self.chance.choice(SIDES)
        (number,) = self.choose([(one,) for one in sorted(self.disputed)], disputes.may_escalate)
        self.attempt(
            allowed=disputes.may_escalate(self.oracle, number),
            act=lambda: service.escalate(self.newest(number), by=self.people[side], at=self.at),
            follows=lambda: disputes.escalate(self.oracle, number, self.at),
        )

    @possible(lambda self: self.in_state("mediation"))
    def decide(self) -> None:
        agent = self.chance.randint(0, 1)
        number, amount = self._share()
        self.attempt(
            allowed=disputes.may_decide(self.oracle, number, amount),
            act=lambda: mediation.decide(
                self.newest(number), to_freelancer_minor=amount, reasons="Fair.",
                by=self.agents[agent], at=self.at,
            ),
            follows=lambda: disputes.decide(self.oracle, agent, number, amount),
        )  # fmt: skip

    @possible(lambda self: self.in_state("decided"))
    def check_decision(self) -> None:
        confirms = self.heads()
        choices = [
            (agent, decision.dispute.escrow.number)
            for decision in Decision.objects.filter(dispute__job=self.job)
            for agent in (0, 1)
        ]
        agent, number = self.choose(choices, disputes.may_check)
        decision = Decision.objects.filter(dispute__escrow=self.escrow(number)).latest("pk").pk
        by = self.agents[agent]
        if confirms:
            self.attempt(
                allowed=disputes.may_check(self.oracle, agent, number),
                act=lambda: mediation.confirm(decision, by=by, at=self.at),
                follows=lambda: disputes.confirm(self.oracle, number, self.at),
            )
        else:
            self.attempt(
                allowed=disputes.may_check(self.oracle, agent, number),
                act=lambda: mediation.send_back(decision, answer="Why?", by=by, at=self.at),
                follows=lambda: disputes.send_back(self.oracle, number),
            )

    def in_state(self, state: str) -> bool:
        return any(
            one.dispute is not None and one.dispute.state == state
            for one in self.oracle.milestones.values()
        )

    # --- Under seal ---

    @possible(in_dispute)
    def enter_limit(self) -> None:
        side = self.chance.choice(SIDES)
        number, limit = self._share()
        self.attempt(
            allowed=disputes.may_seal(self.oracle, side, number, limit, self.at),
            act=lambda: sealed.enter(
                self.newest(number), limit_minor=limit, by=self.people[side], at=self.at
            ),
            follows=lambda: disputes.seal(self.oracle, side, number, limit, self.at),
        )

    @possible(in_dispute)
    def enter_both_limits(self) -> None:
        for _ in SIDES:
            if self.in_dispute():
                self.enter_limit()
                self.look()

    @possible(lambda self: any(self.offered(disputes.may_take_back)))
    def take_limit_back(self) -> None:
        side, number = self.choose(self.sides_and_disputed(), disputes.may_take_back)
        self.attempt(
            allowed=disputes.may_take_back(self.oracle, side, number),
            act=lambda: sealed.take_back(self.newest(number), by=self.people[side], at=self.at),
            follows=lambda: disputes.take_back(self.oracle, side, number, self.at),
        )
