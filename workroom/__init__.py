"""Where both sides meet: Terms, Milestones, Status Reports, timesheets, the pages of a running Job."""
