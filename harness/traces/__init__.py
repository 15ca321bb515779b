"""Traces: failing runs as plain data that replay on any machine."""
