"""Listen to Interpret (arXiv 2305.07132): the method, its baselines and its measures as a pure library."""
