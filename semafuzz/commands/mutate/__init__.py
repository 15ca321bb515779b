"""`semafuzz mutate`: the measure of a search, and of the checks that it has."""
