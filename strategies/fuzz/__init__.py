"""The fuzz loop: programs in turn, triage of failures, deduplication, follow-ups."""
