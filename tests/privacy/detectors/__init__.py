"""Detectors (PII, secrets). A package, because the evaluation set is shared by its tests."""
