"""Which steps lead from a schema version to the next? Those in versions/; see env.py for who runs them."""
