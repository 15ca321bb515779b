"""A corpus that is kept on another filesystem: the right to use it, and the copy here."""
