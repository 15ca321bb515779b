"""Findings in the formats that other tools read; all made from pictures."""
