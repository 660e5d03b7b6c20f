"""The database is the guard (DESIGN 3): each guard is tried with SQL that goes around the ORM."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing import ledger
from billing.models import Account, Escrow, Transfer
from billing.services import audit
from jobs.models import Job, Person, Policy
from tests.scenarios import finished_job, running_job

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer, amounts_minor=[500_00], at=NOON)


@pytest.fixture
def escrow(job: Job) -> Escrow:
    """An Escrow whose account was given 500.00 by a transfer, behind the services' back."""
    escrow = Escrow.objects.get(job=job)
    ledger.post(
        [
            ledger.Posting(
                debit=ledger.cash("simulated", "USD"),
                credit=escrow.account,
                amount_minor=500_00,
                code=Transfer.Code.FUND,
                reference="test:fund",
                at=NOON,
            )
        ]
    )
    return escrow


def sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def refused(statement: str, *parameters: Any) -> str:
    """Run a statement that the database must refuse; what it said."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        sql(statement, *parameters)
        sql("SET CONSTRAINTS ALL IMMEDIATE")
    return str(caught.value)


INSERT_TRANSFER = """
    INSERT INTO billing_transfer (debit_account_id, credit_account_id, amount_minor, code,
                                  reference, happened_at, recorded_at)
    VALUES (%s, %s, %s, 'reversal', %s, now(), now())
"""


def balance(account: Account) -> int:
    return Account.objects.values_list("balance_minor", flat=True).get(pk=account.pk)


def test_a_raw_insert_keeps_the_balances(escrow: Escrow, freelancer: Person) -> None:
    available = ledger.available(freelancer, "USD")
    sql(INSERT_TRANSFER, escrow.account.pk, available.pk, 200_00, "test:move")
    assert balance(escrow.account) == 300_00
    assert balance(available) == 200_00
    assert ledger.summed_balance(available) == 200_00


def test_several_rows_of_one_insert_are_added_up(escrow: Escrow, freelancer: Person) -> None:
    available = ledger.available(freelancer, "USD")
    sql(
        """
        INSERT INTO billing_transfer (debit_account_id, credit_account_id, amount_minor, code,
                                      reference, happened_at, recorded_at)
        SELECT %s, %s, 100, 'reversal', 'test:' || n, now(), now() FROM generate_series(1, 7) n
        """,
        escrow.account.pk,
        available.pk,
    )
    assert balance(escrow.account) == 500_00 - 700
    assert balance(available) == 700


def test_a_guarded_account_never_falls_below_zero(escrow: Escrow, freelancer: Person) -> None:
    available = ledger.available(freelancer, "USD")
    said = refused(INSERT_TRANSFER, escrow.account.pk, available.pk, 500_01, "test:too much")
    assert "account_guarded_never_below_zero" in said
    assert balance(escrow.account) == 500_00


def test_a_platform_account_keeps_no_balance(escrow: Escrow) -> None:
    fees = ledger.platform_account("service_fees", "USD")
    sql(INSERT_TRANSFER, escrow.account.pk, fees.pk, 500_00, "test:fees")
    assert balance(fees) == 0
    assert ledger.summed_balance(fees) == 500_00


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_a_transfer_is_above_zero(escrow: Escrow, freelancer: Person, amount_minor: int) -> None:
    available = ledger.available(freelancer, "USD")
    said = refused(INSERT_TRANSFER, escrow.account.pk, available.pk, amount_minor, "test:zero")
    assert "transfer_above_zero" in said


def test_a_transfer_is_between_two_accounts(escrow: Escrow) -> None:
    said = refused(INSERT_TRANSFER, escrow.account.pk, escrow.account.pk, 1, "test:same")
    assert "transfer_between_two_accounts" in said


def test_a_transfer_is_within_one_currency(escrow: Escrow, freelancer: Person) -> None:
    yen = ledger.available(freelancer, "JPY")
    said = refused(INSERT_TRANSFER, escrow.account.pk, yen.pk, 1, "test:yen")
    assert "a transfer between two currencies" in said


def test_a_reference_is_posted_once(escrow: Escrow, freelancer: Person) -> None:
    available = ledger.available(freelancer, "USD")
    sql(INSERT_TRANSFER, escrow.account.pk, available.pk, 1, "test:once")
    said = refused(INSERT_TRANSFER, escrow.account.pk, available.pk, 1, "test:once")
    assert "billing_transfer_reference" in said
    assert balance(available) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_transfer SET amount_minor = 1",
        "UPDATE billing_transfer SET happened_at = now()",
        "DELETE FROM billing_transfer",
    ],
)
def test_a_transfer_never_changes(escrow: Escrow, statement: str) -> None:
    assert "billing_transfer rows are never changed" in refused(statement)


@pytest.mark.parametrize(
    "table", ["billing_release", "billing_document", "billing_closingstatement"]
)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_what_was_issued_never_changes(
    client_person: Person, freelancer: Person, table: str, statement: str
) -> None:
    finished_job(client_person, freelancer)
    assert f"{table} rows are never changed" in refused(statement.format(table))


@pytest.mark.parametrize("table", ["jobs_activity", "jobs_policy"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_history_and_policy_never_change(job: Job, table: str, statement: str) -> None:
    assert f"{table} rows are never changed" in refused(statement.format(table))


def test_a_balance_is_not_written_by_hand(escrow: Escrow) -> None:
    said = refused("UPDATE billing_account SET balance_minor = 1 WHERE id = %s", escrow.account.pk)
    assert "its balance moves by transfers" in said
    assert balance(escrow.account) == 500_00


def test_an_account_starts_at_zero(freelancer: Person) -> None:
    said = refused(
        """
        INSERT INTO billing_account (kind, currency, gateway, person_id, balance_minor)
        VALUES ('available', 'EUR', '', %s, 100)
        """,
        freelancer.pk,
    )
    assert "an account starts at zero" in said


@pytest.mark.parametrize(
    "change", ["kind = 'available'", "currency = 'EUR'", "escrow_id = NULL", "gateway = 'other'"]
)
def test_an_account_keeps_its_identity(escrow: Escrow, change: str) -> None:
    said = refused(f"UPDATE billing_account SET {change} WHERE id = %s", escrow.account.pk)
    assert "an account keeps its kind, currency and owner" in said


@pytest.mark.parametrize("table", ["jobs_job", "billing_escrow"])
def test_a_state_that_is_none_is_refused(escrow: Escrow, table: str) -> None:
    said = refused(f"UPDATE {table} SET state = 'nonsense'")
    assert "violates check constraint" in said


def test_an_escrow_state_must_fit_its_money(escrow: Escrow) -> None:
    said = refused("UPDATE billing_escrow SET state = 'funded' WHERE id = %s", escrow.pk)
    assert "escrow_holds_money_only_when_funded" in said


def test_one_person_is_never_both_parties(job: Job) -> None:
    said = refused("UPDATE jobs_job SET freelancer_id = client_id WHERE id = %s", job.pk)
    assert "job_never_both_parties" in said


def test_the_policy_of_an_awarded_job_stays(job: Job) -> None:
    said = refused("UPDATE jobs_job SET policy_id = NULL WHERE id = %s", job.pk)
    assert "job_policy_pinned_at_award" in said


@pytest.mark.parametrize("model", [Person, Policy, Job, Account])
def test_what_money_points_to_is_not_deleted(escrow: Escrow, model: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.all()._raw_delete("default")
        sql("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_audit_sees_a_difference(escrow: Escrow) -> None:
    """The account was given money behind the services' back: the Escrow's own sums differ."""
    findings = {finding.check: finding.differences for finding in audit.audit_ledger(at=NOON)}
    assert findings["Every Escrow holds what its state and its sums say."] == [
        f"escrow {escrow.pk} (unfunded): account 50000, sums 0"
    ]
    assert findings["Every guarded balance is the sum of its transfers."] == []
