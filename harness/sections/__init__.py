"""Reports of detectors and searches as plain data, which every format shows."""
