"""Listen to Interpret (arXiv 2305.07132): method, baselines and measures as a pure library."""
