"""`semafuzz matrix`: known defects against releases, a column for each release."""
