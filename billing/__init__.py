"""The money: ledger, Escrow, payments, release requests, documents, payouts, statements.

Knows Jobs and people; never hears of Terms or Milestones.
"""
