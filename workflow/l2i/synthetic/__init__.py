"""Synthetic corpora in the genuine layouts, the same to the last byte wherever they are made."""
