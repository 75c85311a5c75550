"""What explains a decision, and how it sounds (Sec. III-E, Algorithm 1)."""
