"""What a configuration may say, how it is read, and what is refused before anything runs."""
