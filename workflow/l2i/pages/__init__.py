"""Pages about a run, for a browser or as Markdown; templates lie beside their modules."""
