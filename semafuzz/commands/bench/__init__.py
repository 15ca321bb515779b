"""``semafuzz bench``."""
