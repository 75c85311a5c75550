"""Corpora: download, verify, unpack, and list what is in them."""
