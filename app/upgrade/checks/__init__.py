"""Checks: what can be found before an upgrade, and what is verified after it."""
