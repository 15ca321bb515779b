"""Source that is changed before it runs: mutants of a class, and remedies that are tried."""
