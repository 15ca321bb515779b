"""Releases of Nova: environments, fetching, library sets, shims."""
