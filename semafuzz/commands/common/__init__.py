"""What several commands share: options, loading what a person names, processes of other releases."""
