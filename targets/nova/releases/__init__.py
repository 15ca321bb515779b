"""Which Nova runs here: environments, fetched releases, library sets, shims."""
