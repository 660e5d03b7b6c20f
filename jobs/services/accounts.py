"""What holds for an account whatever it wants to do, who is sitting at it, and how support locks one (R1.5)."""

from collections.abc import Callable
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.db import transaction

from escrow_site.lib.refusals import Refusal, WrongParty, WrongState, refuse_if
from jobs.account_notices import ACCOUNT_LOCKED, ACCOUNT_UNLOCKED
from jobs.models import Activity, Job, Person
from jobs.models.job import JobQuerySet, of_party
from jobs.notices import Kind
from jobs.services import activity, attempts, calendars, words
from jobs.services.activity import AccountLocked, Entry

PERMISSION = "jobs.lock_account"
REASON_AT_MOST = 500


def refuse_locked(person: Person) -> Refusal | None:
    """A locked account can do nothing."""
    if not person.is_active:
        return AccountLocked()
    return None


# --- Who is sitting there ---


class TooManyWrong(Refusal):
    """The password was guessed too often."""

    def __init__(self) -> None:
        super().__init__("Too many wrong attempts. Wait some minutes, then try again.")


def knows_password(person: Person, password: str, *, at: datetime) -> bool:
    """Whether somebody who is signed in knows the password of his account.

    Counted per person, apart from sign-in: what strangers try at the door keeps nobody from his money.
    Raises TooManyWrong.
    """
    if attempts.is_reached(attempts.WRONG_OWN_PASSWORDS, person.pk, at=at):
        raise TooManyWrong()
    if person.check_password(password):
        return True
    attempts.note(attempts.WRONG_OWN_PASSWORDS, person.pk, at=at)
    return False


# --- Locking ---


def may_lock(person: Person, *, by: Person) -> Refusal | None:
    """Support locks an account: not its own, not one of a Job of its own, and not staff's."""
    if refusal := _refuse_non_agent(person, by=by):
        return refusal
    if not person.is_active:
        return WrongState(f"The account of {person} is locked already.")
    return None


def may_unlock(person: Person, *, by: Person) -> Refusal | None:
    """As may_lock, the other way round; a closed account stays closed."""
    if refusal := _refuse_non_agent(person, by=by):
        return refusal
    if person.closed_at is not None:
        return WrongState(f"The account of {person} was closed: it cannot be opened again.")
    if person.is_active:
        return WrongState(f"The account of {person} is not locked.")
    return None


def _refuse_non_agent(person: Person, *, by: Person) -> Refusal | None:
    if refusal := refuse_locked(by):
        return refusal
    if not by.has_perm(PERMISSION):
        return WrongParty("Only a support agent can lock an account or unlock it.")
    if person.pk == by.pk:
        return WrongParty("This is your own account: somebody else has to lock or unlock it.")
    if (person.is_staff or person.is_superuser) and not by.is_superuser:
        return WrongParty("Only a superuser locks the account of staff or unlocks it.")
    if _open_jobs(person).filter(of_party(by)).exists():
        return WrongParty(f"You and {person} are the parties of a Job: somebody else decides this.")
    return None


def lock(person_id: int, *, by: Person, at: datetime, reason: str) -> Person:
    """Lock an account: it can do nothing and is paid nothing out; no clock stops (R1.5).

    It is signed out everywhere, and its calendar link leads nowhere any more, once unlocked neither. The
    other sides of its open Jobs read that it is locked, and not why. Locks these Jobs and the account.
    Raises the Refusal of may_lock, NothingSaid.
    """
    return _set(person_id, may_lock, ACCOUNT_LOCKED, by=by, at=at, reason=reason)


def unlock(person_id: int, *, by: Person, at: datetime, reason: str) -> Person:
    """Let an account do things again; what fell due meanwhile stands.

    Locks its open Jobs and the account. Raises the Refusal of may_unlock, NothingSaid.
    """
    return _set(person_id, may_unlock, ACCOUNT_UNLOCKED, by=by, at=at, reason=reason)


def _set(
    person_id: int,
    guard: Callable[..., Refusal | None],
    kind: Kind,
    *,
    by: Person,
    at: datetime,
    reason: str,
) -> Person:
    words.check(reason, what="the reason", at_most=REASON_AT_MOST)
    with transaction.atomic():
        jobs = list(_open_jobs(Person(pk=person_id)).select_related("policy").locked())
        person = Person.objects.select_for_update(no_key=True).get(pk=person_id)
        refuse_if(guard(person, by=by))
        person.is_active = kind is ACCOUNT_UNLOCKED
        person.save(update_fields=["is_active"])
        if kind is ACCOUNT_LOCKED:
            _end_what_is_open(person, at=at)
        activity.record_all(
            Entry(
                job=job,
                kind=kind,
                by=by,
                at=at,
                actor_kind=Activity.Actor.SUPPORT,
                facts={"person": str(person)},
            )
            for job in jobs
        )
    return person


def _end_what_is_open(person: Person, *, at: datetime) -> None:
    """Sessions and the calendar link end for good: a thief must not be in again once it is unlocked."""
    for session in UserSession.objects.filter(user=person):
        session.end()
    calendars.revoke(person, at=at)


def _open_jobs(person: Person) -> JobQuerySet:
    """Those of which both sides read the history: awarded, and not over."""
    return Job.objects.filter(of_party(person), awarded_at__isnull=False, ended_at=None)
