"""Targets that a person declares in a class of some thirty lines."""

# ``DeclaredTarget.target`` needs the loader, which enters itself when it is imported.
from semafuzz.targets.declared import loading as loading
