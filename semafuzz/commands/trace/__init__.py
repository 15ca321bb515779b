"""Commands that take a trace: replay, shrink, bisect, export, merge."""
