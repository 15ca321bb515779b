"""One run as plain data to look at: lanes, turns, values, source lines."""
