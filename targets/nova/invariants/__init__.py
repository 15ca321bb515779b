"""Invariants of Nova's tracker, at quiescence and after faults."""
