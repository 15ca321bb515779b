"""A search over schedules: exploration, results, findings and whether a trace reproduces."""
