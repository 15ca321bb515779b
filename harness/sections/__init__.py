"""What detectors and searches report, as plain data that every report format shows."""
