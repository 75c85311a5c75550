"""What made a result: fingerprints of code, settings and environment; records beside files."""
