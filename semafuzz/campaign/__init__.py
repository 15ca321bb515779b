"""Searches without anybody watching: planned, supervised, remembered."""
