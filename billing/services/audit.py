"""The audit of the ledger: does everything still add up? (docs/money.md)

Reads only. Each check returns the differences it found, in words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from escrow_site.lib import statements

DIFFERENCES_KEPT = 100


@dataclass(frozen=True)
class Check:
    """A law of the ledger; ``sql`` returns one row, with a ``difference`` in words, per breach.

    One that depends on the hour is given ``%(at)s``; its other per cent signs are doubled.
    """

    name: str
    sql: str
    depends_on_the_hour: bool = False


CHECKS = (
    Check(
        "Every guarded balance is the sum of its transfers.",
        """
        SELECT format('account %s (%s): balance %s, transfers %s', account.id, account.kind,
                      account.balance_minor, coalesce(moved.amount_minor, 0)) AS difference
          FROM billing_account AS account
          LEFT JOIN (
            SELECT account_id, sum(amount_minor) AS amount_minor FROM (
                SELECT credit_account_id AS account_id, amount_minor FROM billing_transfer
                UNION ALL
                SELECT debit_account_id, -amount_minor FROM billing_transfer
            ) AS side GROUP BY account_id
          ) AS moved ON moved.account_id = account.id
         WHERE account.balance_minor <> CASE
                 WHEN account.kind IN ('escrow', 'available', 'refunding', 'paying_out')
                 THEN coalesce(moved.amount_minor, 0) ELSE 0 END
        """,
    ),
    Check(
        "Every transfer is between accounts of one currency.",
        """
        SELECT format('transfer %s: %s to %s', transfer.reference, debit.currency, credit.currency)
               AS difference
          FROM billing_transfer AS transfer
          JOIN billing_account AS debit ON debit.id = transfer.debit_account_id
          JOIN billing_account AS credit ON credit.id = transfer.credit_account_id
         WHERE debit.currency <> credit.currency
        """,
    ),
    Check(
        "Every Escrow holds what its state and its sums say.",
        """
        SELECT format('escrow %s (%s): account %s, sums %s', escrow.id, escrow.state,
                      account.balance_minor,
                      escrow.funded_minor - escrow.released_minor - escrow.refunded_minor)
               AS difference
          FROM billing_escrow AS escrow
          LEFT JOIN billing_account AS account ON account.escrow_id = escrow.id
         WHERE coalesce(account.balance_minor, -1)
               <> escrow.funded_minor - escrow.released_minor - escrow.refunded_minor
            OR (escrow.state = 'funded') <> (coalesce(account.balance_minor, 0) > 0)
        """,
    ),
    Check(
        "Every Escrow's released sums and fees are those of its Releases and credit notes.",
        """
        SELECT format('escrow %s: released %s, Releases %s; credited %s, credit notes %s',
                      escrow.id, escrow.released_minor, coalesce(released.gross_minor, 0),
                      escrow.credited_minor, coalesce(credited.gross_minor, 0)) AS difference
          FROM billing_escrow AS escrow
          LEFT JOIN (
            SELECT escrow_id, sum(gross_minor) AS gross_minor,
                   sum(service_fee_minor) AS service_fee_minor,
                   sum(processing_fee_minor) AS processing_fee_minor
              FROM billing_release GROUP BY escrow_id
          ) AS released ON released.escrow_id = escrow.id
          LEFT JOIN (
            SELECT escrow_id, sum(gross_minor) AS gross_minor,
                   sum(service_fee_minor) AS service_fee_minor
              FROM billing_document WHERE kind = 'credit_note' GROUP BY escrow_id
          ) AS credited ON credited.escrow_id = escrow.id
         WHERE escrow.released_minor <> coalesce(released.gross_minor, 0)
            OR escrow.processing_fee_minor <> coalesce(released.processing_fee_minor, 0)
            OR escrow.credited_minor <> coalesce(credited.gross_minor, 0)
            OR escrow.service_fee_minor
               <> coalesce(released.service_fee_minor, 0) - coalesce(credited.service_fee_minor, 0)
        """,
    ),
    Check(
        "Every Release has its transfers.",
        """
        SELECT format('release %s: %s and %s in the ledger', release.id, release.gross_minor,
                      coalesce(sum(transfer.amount_minor), 0)) AS difference
          FROM billing_release AS release
          LEFT JOIN billing_transfer AS transfer
            ON transfer.reference IN (
                'release:' || release.id || ':net',
                'release:' || release.id || ':service_fee',
                'release:' || release.id || ':processing_fee')
         GROUP BY release.id
        HAVING release.gross_minor <> coalesce(sum(transfer.amount_minor), 0)
        """,
    ),
    Check(
        "Every Release has its final invoice or receipt, with the same amounts.",
        """
        SELECT format('release %s: no document with its amounts', release.id) AS difference
          FROM billing_release AS release
          LEFT JOIN billing_document AS document
            ON document.release_id = release.id
           AND document.gross_minor = release.gross_minor
           AND document.service_fee_minor = release.service_fee_minor
           AND document.processing_fee_minor = release.processing_fee_minor
           AND document.net_minor = release.net_minor
         WHERE document.id IS NULL
        """,
    ),
    Check(
        "Every series of documents is without a gap.",
        """
        SELECT format('issuer %s: %s documents, numbers %s to %s, counter %s', series.issuer_id,
                      count(document.id), min(document.number), max(document.number),
                      series.last_number) AS difference
          FROM billing_documentseries AS series
          LEFT JOIN billing_document AS document ON document.issuer_id = series.issuer_id
         GROUP BY series.id
        HAVING count(document.id) <> series.last_number
            OR coalesce(min(document.number), 1) <> 1
            OR coalesce(max(document.number), 0) <> series.last_number
        """,
    ),
    Check(
        "What succeeded at the gateway is what came into the ledger.",
        """
        SELECT format('payment %s (%s): charged %s, posted %s', payment.id, payment.state,
                      payment.amount_minor, coalesce(sum(transfer.amount_minor), 0)) AS difference
          FROM billing_payment AS payment
          LEFT JOIN billing_allocation AS allocation ON allocation.payment_id = payment.id
          LEFT JOIN billing_transfer AS transfer
            ON transfer.reference
               = 'payment:' || payment.id || ':escrow:' || allocation.escrow_id
         WHERE payment.state <> 'returned'
         GROUP BY payment.id
        HAVING coalesce(sum(transfer.amount_minor), 0)
               <> CASE WHEN payment.state IN ('succeeded', 'refunded', 'charged_back')
                       THEN payment.amount_minor ELSE 0 END
        """,
    ),
    Check(
        "Every Refund of held money has its transfers.",
        """
        SELECT format('refund %s: %s and fee %s, %s in the ledger', refund.id, refund.amount_minor,
                      refund.fee_minor, coalesce(sum(transfer.amount_minor), 0)) AS difference
          FROM billing_refund AS refund
          LEFT JOIN billing_transfer AS transfer
            ON transfer.reference IN (
                'refund:' || refund.id || ':back', 'refund:' || refund.id || ':fee')
         WHERE refund.escrow_id IS NOT NULL AND NOT refund.of_released
         GROUP BY refund.id
        HAVING refund.amount_minor + refund.fee_minor <> coalesce(sum(transfer.amount_minor), 0)
        """,
    ),
    Check(
        "Every Escrow's refunded sum is that of its Refunds.",
        """
        SELECT format('escrow %s: refunded %s, Refunds %s', escrow.id, escrow.refunded_minor,
                      coalesce(sum(refund.amount_minor + refund.fee_minor), 0)) AS difference
          FROM billing_escrow AS escrow
          LEFT JOIN billing_refund AS refund
            ON refund.escrow_id = escrow.id AND NOT refund.of_released
         GROUP BY escrow.id
        HAVING escrow.refunded_minor
               <> coalesce(sum(refund.amount_minor + refund.fee_minor), 0)
        """,
    ),
    Check(
        "Every Refund of released money has its transfers and credit notes.",
        """
        SELECT format('refund %s: %s, from the Freelancer %s, fee given back %s, credit notes %s',
                      refund.id, refund.amount_minor, given.amount_minor, fee.amount_minor,
                      notes.gross_minor) AS difference
          FROM billing_refund AS refund
          LEFT JOIN billing_transfer AS given
            ON given.reference = 'refund:' || refund.id || ':credit'
          LEFT JOIN billing_transfer AS fee
            ON fee.reference = 'refund:' || refund.id || ':credit_fee'
          LEFT JOIN (
            SELECT refund_id, sum(gross_minor) AS gross_minor, sum(net_minor) AS net_minor,
                   sum(service_fee_minor) AS service_fee_minor
              FROM billing_document WHERE kind = 'credit_note' GROUP BY refund_id
          ) AS notes ON notes.refund_id = refund.id
         WHERE refund.of_released
           AND (refund.amount_minor, coalesce(given.amount_minor, 0), coalesce(fee.amount_minor, 0))
               IS DISTINCT FROM (notes.gross_minor, notes.net_minor, notes.service_fee_minor)
        """,
    ),
    Check(
        "No credit notes take back more than the document they correct.",
        """
        SELECT format('document %s: %s, credit notes %s', document.id, document.gross_minor,
                      sum(note.gross_minor)) AS difference
          FROM billing_document AS document
          JOIN billing_document AS note ON note.corrects_id = document.id
         GROUP BY document.id
        HAVING sum(note.gross_minor) > document.gross_minor
            OR bool_or(note.escrow_id <> document.escrow_id OR note.issuer_id <> document.issuer_id)
        """,
    ),
    Check(
        "Every Refund under way has its money on its payment's account.",
        """
        SELECT format('payment %s: account %s, Refunds under way %s',
                      coalesce(account.payment_id, under_way.payment_id),
                      coalesce(account.balance_minor, 0), coalesce(under_way.amount_minor, 0))
               AS difference
          FROM (SELECT payment_id, balance_minor FROM billing_account WHERE kind = 'refunding')
            AS account
          FULL JOIN (
            SELECT payment_id, sum(amount_minor) AS amount_minor
              FROM billing_refund WHERE state = 'started' GROUP BY payment_id
          ) AS under_way ON under_way.payment_id = account.payment_id
         WHERE coalesce(account.balance_minor, 0) <> coalesce(under_way.amount_minor, 0)
        """,
    ),
    Check(
        "An ended Job holds no money.",
        """
        SELECT format('job %s (%s) holds %s', job.id, job.state, sum(account.balance_minor))
               AS difference
          FROM jobs_job AS job
          JOIN billing_escrow AS escrow ON escrow.job_id = job.id
          JOIN billing_account AS account ON account.escrow_id = escrow.id
         WHERE job.ended_at IS NOT NULL AND account.balance_minor <> 0
         GROUP BY job.id
        """,
    ),
    Check(
        "Every Closing Statement sums to zero.",
        """
        SELECT format('statement %s of job %s', statement.number, statement.job_id) AS difference
          FROM billing_closingstatement AS statement
         WHERE (statement.totals->'job'->>'funded_minor')::bigint
               <> (statement.totals->'job'->>'released_minor')::bigint
                + (statement.totals->'job'->>'refunded_minor')::bigint
        """,
    ),
    Check(
        "The newest Closing Statement of a Job knows every refund after its end.",
        """
        SELECT format('job %s: refunded after release %s, Statement %s says %s', escrow.job_id,
                      sum(escrow.credited_minor), statement.number,
                      statement.totals->'job'->>'credited_minor') AS difference
          FROM billing_closingstatement AS statement
          JOIN billing_escrow AS escrow ON escrow.job_id = statement.job_id
         WHERE NOT EXISTS (
            SELECT FROM billing_closingstatement AS newer WHERE newer.replaces_id = statement.id)
         GROUP BY escrow.job_id, statement.id
        HAVING sum(escrow.credited_minor)
               <> (statement.totals->'job'->>'credited_minor')::bigint
        """,
    ),
    Check(
        "Every open Dispute freezes its Milestone, and nothing else counts as disputed.",
        """
        SELECT format('escrow %s: disputed %s by %s, answer due %s; open Dispute %s: %s by %s, %s',
                      coalesce(escrow.id, dispute.escrow_id), escrow.disputed_at,
                      escrow.disputed_by_id, escrow.answer_due_at, dispute.id, dispute.opened_at,
                      dispute.opened_by_id, dispute.answer_due_at) AS difference
          FROM (SELECT id, disputed_at, disputed_by_id, answer_due_at FROM billing_escrow
                 WHERE num_nonnulls(disputed_at, disputed_by_id, answer_due_at) > 0) AS escrow
          FULL JOIN (
            SELECT id, escrow_id, opened_at, opened_by_id,
                   CASE WHEN state = 'open' AND answered_at IS NULL THEN answer_due_at END
                   AS answer_due_at
              FROM billing_dispute WHERE state IN ('open', 'mediation', 'decided')
          ) AS dispute ON dispute.escrow_id = escrow.id
         WHERE (escrow.disputed_at, escrow.disputed_by_id, escrow.answer_due_at)
               IS DISTINCT FROM (dispute.opened_at, dispute.opened_by_id, dispute.answer_due_at)
        """,
    ),
    Check(
        "Every open chargeback freezes what its payment is there for, and nothing else is charged back.",
        """
        SELECT format('escrow %s: charged back %s, open chargeback %s',
                      coalesce(escrow.id, frozen.escrow_id), escrow.charged_back_at,
                      frozen.opened_at) AS difference
          FROM (SELECT id, charged_back_at FROM billing_escrow
                 WHERE charged_back_at IS NOT NULL) AS escrow
          FULL JOIN (
            SELECT allocation.escrow_id, chargeback.opened_at
              FROM billing_chargeback AS chargeback
              JOIN billing_allocation AS allocation
                ON allocation.payment_id = chargeback.payment_id AND allocation.live
             WHERE chargeback.state IN ('open', 'recorded')
          ) AS frozen ON frozen.escrow_id = escrow.id
         WHERE escrow.charged_back_at IS DISTINCT FROM frozen.opened_at
        """,
    ),
    Check(
        "The clock of a Release Request stands still while its Milestone is frozen, and only then.",
        """
        SELECT format('release request %s (%s): disputed %s, charged back %s', request.id,
                      request.state, escrow.disputed_at, escrow.charged_back_at) AS difference
          FROM billing_releaserequest AS request
          JOIN billing_escrow AS escrow ON escrow.id = request.escrow_id
         WHERE request.state IN ('open', 'overdue', 'disputed')
           AND (request.state = 'disputed')
               <> (num_nonnulls(escrow.disputed_at, escrow.charged_back_at) > 0)
        """,
    ),
    Check(
        "What a lost chargeback took is in the ledger.",
        """
        SELECT format('chargeback %s (%s): %s, %s in the ledger', chargeback.id, chargeback.state,
                      chargeback.amount_minor, transfer.amount_minor) AS difference
          FROM billing_chargeback AS chargeback
          LEFT JOIN billing_transfer AS transfer
            ON transfer.reference = 'chargeback:' || chargeback.id || ':taken'
         WHERE coalesce(transfer.amount_minor, 0)
               <> CASE WHEN chargeback.state = 'lost' THEN chargeback.amount_minor ELSE 0 END
        """,
    ),
    # An hour, as the sweep may be working on it now; what was set aside waits for support.
    Check(
        "Nothing that was due is left behind.",
        """
        SELECT format('release request %%s of job %%s was due %%s', request.id, job.id,
                      request.auto_release_at AT TIME ZONE 'UTC') AS difference
          FROM billing_releaserequest AS request
          JOIN jobs_job AS job ON job.id = request.job_id
         WHERE request.state IN ('open', 'overdue')
           AND request.auto_release_at < %(at)s - interval '1 hour'
           AND job.set_aside_at IS NULL
         UNION ALL
        SELECT format('job %%s (%%s) was due %%s', job.id, job.state,
                      job.next_due_at AT TIME ZONE 'UTC')
          FROM jobs_job AS job
         WHERE job.next_due_at < %(at)s - interval '1 hour' AND job.set_aside_at IS NULL
         UNION ALL
        SELECT format('job %%s (%%s) holds money, was dormant from %%s, and nobody looks at it again',
                      job.id, job.state, job.dormant_at AT TIME ZONE 'UTC')
          FROM jobs_job AS job
          JOIN billing_escrow AS escrow ON escrow.job_id = job.id AND escrow.state = 'funded'
         WHERE job.state IN ('active', 'dormant') AND job.next_due_at IS NULL
           AND job.dormant_at < %(at)s - interval '1 hour' AND job.set_aside_at IS NULL
         GROUP BY job.id
        HAVING count(escrow.disputed_at) + count(escrow.charged_back_at) = 0
        """,
        depends_on_the_hour=True,
    ),
)


@dataclass(frozen=True)
class Finding:
    """What one check found; nothing is the good answer."""

    check: str
    differences: list[str]


def audit_ledger(checks: Iterable[Check] = CHECKS, *, at: datetime) -> list[Finding]:
    """Hold every law against the whole ledger, as it is to be at ``at``."""
    return [
        Finding(check.name, [row["difference"] for row in _breaches(check, at=at)])
        for check in checks
    ]


def differences(findings: Iterable[Finding]) -> list[str]:
    """All that was found, each with the law that it breaks."""
    return [
        f"{finding.check} {difference}"
        for finding in findings
        for difference in finding.differences
    ]


def summary(found: list[str]) -> dict[str, Any]:
    """What the heartbeat of the audit keeps: how many differences, and the first of them."""
    return {"count": len(found), "differences": found[:DIFFERENCES_KEPT]}


def _breaches(check: Check, *, at: datetime) -> list[dict[str, Any]]:
    return statements.run(check.sql, *[{"at": at}] * check.depends_on_the_hour)
