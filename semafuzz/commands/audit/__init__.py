"""`semafuzz audit`: which methods change state, and under which lock."""
