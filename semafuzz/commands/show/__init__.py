"""`semafuzz show`: the picture of a finding, in a browser."""
