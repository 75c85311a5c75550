"""Measures of systems: scores of clips, removals and their controls, coherence (Sec. IV-C)."""
