"""Self-test of privacy. Does anything that is hidden leave through any door? On a copy, served in process."""
