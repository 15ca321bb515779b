"""A small asynchronous tracker of our own, with defects to be found."""
