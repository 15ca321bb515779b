"""`semafuzz pack`: a finding with all that somebody else needs to look at it and to run it again, in one file."""
