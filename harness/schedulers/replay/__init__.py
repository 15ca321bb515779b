"""Schedulers that follow a record, strictly or as far as it fits."""
