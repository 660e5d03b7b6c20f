"""Use cases of Terms, awards, reports and timesheets."""
