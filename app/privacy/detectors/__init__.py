"""Detectors (PII, secrets). Which parts of a text name its person or open a door? Data files, one each."""
