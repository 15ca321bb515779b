"""Mutants of a class under the search: how many of them it kills."""
