"""Spectral dictionaries: sparse non-negative matrix factorisation (paper, Sec. III-D)."""
