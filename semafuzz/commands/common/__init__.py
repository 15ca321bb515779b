"""Parts that several commands share: options, loading what a person names, other releases."""
