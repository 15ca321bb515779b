"""Pages for a browser: each a single file that opens from disk and asks nothing of anybody."""
