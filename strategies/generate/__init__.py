"""Hypothesis strategies for programs, scenarios, faults and configuration."""
