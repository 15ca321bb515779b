"""The order in which locks are taken."""
