"""Dynamic partial order reduction: one execution for each Mazurkiewicz trace."""
