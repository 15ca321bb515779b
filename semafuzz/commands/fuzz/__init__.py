"""`semafuzz fuzz`: options, one search, several searches at once, line coverage."""
