"""The rules once more, written from their sentences and from nothing else in the product.

The property test holds the product against this. It knows the default numbers by heart, so that a number
that is changed by mistake is seen too. ``rows`` is what there is on a Job, ``clock`` what silence does
(R6, R10); then by subject: may somebody do it (``may_…``), and what does it lead to. All amounts are in
minor units; a side is "client" or "freelancer".
"""
