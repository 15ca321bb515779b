"""Targets that a person declares in a class of some thirty lines."""
