"""The networks: the classifier, Psi and Theta, and those of the baselines (Sec. III-B, IV-B)."""
