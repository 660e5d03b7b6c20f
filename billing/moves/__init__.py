"""What is written when money moves or a Job ends: rows of locked Jobs, one statement a table.

Who may do it, and when, is decided in ``services`` and ``timers``. No locks and no guards here, and no
history: whoever calls a move records what it says.
"""
