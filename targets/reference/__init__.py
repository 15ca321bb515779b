"""A small resource tracker of our own, with defects to switch on one at a time."""
